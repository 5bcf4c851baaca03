//! When each task ran, and where: Chrome's trace event format.

use crate::base::trace::TaskRecord;
use crate::observe::joined;
use std::fmt::Write;

/// The timeline as JSON: one complete event per task, ranks as processes, workers as threads, microseconds.
pub fn timeline(records: &[TaskRecord]) -> String {
    let mut json = String::from("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[");
    let mut first = true;
    for task in joined(records).iter().filter(|task| task.ended_ns > 0) {
        if !first {
            json.push(',');
        }
        first = false;
        // A driver's own thread is shown after the workers.
        let thread = if task.worker == u32::MAX { 9999 } else { task.worker };
        let _ = write!(
            json,
            "\n{{\"name\":\"{}\",\"cat\":\"task\",\"ph\":\"X\",\"ts\":{:.3},\"dur\":{:.3},\"pid\":{},\
             \"tid\":{thread},\"args\":{{\"task\":{},\"parent\":{}}}}}",
            escaped(&task.name),
            task.began_ns as f64 / 1e3,
            (task.ended_ns - task.began_ns) as f64 / 1e3,
            task.rank,
            task.task,
            task.parent
        );
    }
    json.push_str("\n]}\n");
    json
}

/// Text inside a JSON string.
fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, letter| {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            control if control < ' ' => drop(write!(out, "\\u{:04x}", control as u32)),
            other => out.push(other),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn task_that_ran_becomes_an_event_with_escaped_name() {
        let ran = TaskRecord {
            task: 7,
            parent: 0,
            name: "say \"hi\"".to_string(),
            inputs: vec![],
            outputs: vec![],
            rank: 1,
            worker: 2,
            began_ns: 1_000,
            ended_ns: 3_500,
        };
        let submitted = TaskRecord { began_ns: 0, ended_ns: 0, parent: 5, ..ran.clone() };
        let json = timeline(&[submitted.clone(), ran]);
        assert!(
            json.contains(r#""name":"say \"hi\"","cat":"task","ph":"X","ts":1.000,"dur":2.500,"pid":1,"tid":2"#),
            "{json}"
        );
        assert!(json.contains(r#""parent":5"#), "{json}");
        assert!(!timeline(&[submitted]).contains("\"X\""), "a task that did not run is no event");
    }
}
