//! What a rank's protocol holds, for who looks whether anything is held that nobody needs; and its end.

use crate::base::sync::lock;
use crate::protocol::Protocol;

/// What is held, by kind; kinds of which nothing is held are left out.
pub type Census = Vec<(&'static str, usize)>;

impl Protocol {
    /// What is held. Of a cluster that has nothing left to do, and whose user holds nothing any more, it is empty.
    #[cfg_attr(not(feature = "sim"), allow(dead_code))]
    pub fn census(&self) -> Census {
        let mut census = self.references.census();
        census.extend(self.far.census());
        census.push(("tasks that are elsewhere", self.away.len()));
        census.push(("tasks that nobody wants", self.unwanted.len()));
        census.push(("actors that live", self.actors.living().len()));
        census.push(("actors made here that are known of", lock(&self.made.0).len()));
        census.push(("names", self.names.len()));
        census.push(("senders whose messages are held", self.held.len()));
        census.retain(|(_, count)| *count > 0);
        census
    }

    /// What cannot be, where something is so: looked for between two events.
    #[cfg_attr(not(feature = "sim"), allow(dead_code))]
    pub fn check(&self) -> Result<(), String> {
        self.references.check()
    }

    /// Forgets everything: the end. What is dropped thereby sends nothing where `Driver::stopping` says so.
    #[cfg_attr(not(feature = "sim"), allow(dead_code))]
    pub fn clear(&self) {
        drop((self.away.clear(), self.actors.clear(), self.names.clear(), self.held.clear(), self.far.clear()));
        drop(self.made.clear());
        self.unwanted.clear();
        self.copies.clear();
        self.references.clear();
    }
}
