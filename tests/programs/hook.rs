//! A program whose panic hook was set before the cluster started.

use mobula::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

static CALLS: AtomicUsize = AtomicUsize::new(0);

#[mobula::remote]
fn panics() -> u64 {
    panic!("by a task")
}

fn main() -> mobula::Result<()> {
    std::panic::set_hook(Box::new(|info| {
        CALLS.fetch_add(1, Ordering::Relaxed);
        println!("the hook sees: {}", info.payload().downcast_ref::<&str>().unwrap_or(&"no text"));
    }));
    let cluster = mobula::init(Config::default())?;
    let error = panics::remote().get().unwrap_err();
    assert!(error.to_string().contains("tests/programs/hook.rs:"), "{error}");
    assert_eq!(CALLS.load(Ordering::Relaxed), 1);
    println!("{error}");
    cluster.shutdown()
}
