//! What an actor has while a call of it runs.

use super::Inner;
use crate::node::notes::Account;
use std::sync::Arc;

/// What an actor has while a call of it runs.
pub struct Standing {
    /// Its shares of GPUs.
    pub gpus: Vec<(u32, i64)>,
    /// What the arrays that it makes go on, where it has a limit.
    pub account: Option<Arc<Account>>,
    /// How it is called in errors.
    pub label: String,
}

impl Inner {
    pub(super) fn standing(&self) -> Standing {
        let gpus = self.grant.as_ref().map_or_else(Vec::new, |grant| grant.gpus.clone());
        Standing { gpus, account: self.account.clone(), label: self.label.clone() }
    }
}
