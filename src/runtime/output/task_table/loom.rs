//! A thread that submits a task, one that runs it, and a reader, in every order.

use super::*;
use crate::base::sync::{explore, thread};
use std::sync::Arc;

#[test]
fn reader_sees_each_half_of_a_row_whole_or_not_at_all() {
    let submission = Submission { function: 7, parent: 3, result: 6, inputs: [4, 5] };
    let run = TaskRun { worker: 2, began: 10, ended: 12 };
    explore(3, move || {
        let table = Arc::new(TaskTable::default());
        // The checker does not see what the standard library's `OnceLock` orders.
        assert!(table.row(0).is_some());
        let writing = thread::spawn({
            let table = table.clone();
            move || {
                table.row(0).unwrap().submit(submission);
                thread::spawn(move || table.row(0).unwrap().run(run)).join().unwrap();
            }
        });
        let row = table.row(0).unwrap();
        assert!(row.last_run().is_none_or(|seen| seen == run));
        assert!(row.submission().is_none_or(|seen| seen == submission));
        writing.join().unwrap();
        assert_eq!((row.submission(), row.last_run()), (Some(submission), Some(run)));
    });
}
