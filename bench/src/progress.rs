//! Progress of a suite on a terminal. The process that measures may be a rank whose output a launcher collects, so it
//! only prints marks; the process that the user started draws them.

use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// The start of a progress line: a control character that no table has.
pub const MARK: &str = "\u{1}";

/// Progress as it is printed.
pub struct Marks {
    printed: bool,
    ended: usize,
    cases: usize,
}

impl Marks {
    /// Of so many cases; marks are printed only if the starting process reads them.
    pub fn start(printed: bool, cases: usize) -> Marks {
        Marks { printed, ended: 0, cases }
    }

    /// A case begins.
    pub fn begin(&self, name: &str) {
        if self.printed {
            println!("{MARK}{} {} {name}", self.ended, self.cases);
        }
    }

    /// A case has ended.
    pub fn ended(&mut self) {
        self.ended += 1;
    }
}

/// Progress as it is drawn, on standard error.
pub struct Bar(ProgressBar);

impl Bar {
    /// For a suite whose number of cases the first mark gives.
    pub fn new(suite: &'static str) -> Bar {
        let style = ProgressStyle::with_template("{prefix} [{bar:30}] {pos}/{len} {elapsed} {wide_msg}")
            .expect("the template is well formed")
            .progress_chars("=> ");
        let bar = ProgressBar::new(1).with_style(style).with_prefix(suite);
        bar.enable_steady_tick(Duration::from_millis(250));
        Bar(bar)
    }

    /// Shows a mark: cases ended, cases in all, the one that runs.
    pub fn show(&self, mark: &str) {
        let mut fields = mark.splitn(3, ' ');
        let mut number = || fields.next().and_then(|field| field.parse().ok());
        if let (Some(ended), Some(cases)) = (number(), number()) {
            self.0.set_length(cases);
            self.0.set_position(ended);
        }
        self.0.set_message(fields.next().unwrap_or_default().to_string());
    }

    /// Prints a line of the table above the bar.
    pub fn print(&self, line: &str) {
        self.0.suspend(|| println!("{line}"));
    }

    /// Takes it away.
    pub fn remove(&self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_moves_the_bar() {
        let bar = Bar::new("rpc");
        bar.show("3 12 round trip, 8 B");
        assert_eq!((bar.0.position(), bar.0.length(), bar.0.message().as_str()), (3, Some(12), "round trip, 8 B"));
        bar.show("nonsense");
        assert_eq!(bar.0.position(), 3);
    }
}
