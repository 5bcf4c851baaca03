//! Drivers that end while tasks of theirs have printed, and others still run.

use crate::end;
use std::time::Duration;

const LINES: u32 = 20;

#[mobula::remote]
fn prints() {
    for line in 0..LINES {
        println!("line {line} of {}", mobula::context().rank());
    }
}

#[mobula::remote]
fn sleeps() {
    std::thread::sleep(Duration::from_secs(600));
}

/// Every rank prints its lines; then the driver ends as `how` says.
pub fn driver(how: &str) -> Result<(), String> {
    let ranks: Vec<u32> = mobula::nodes().iter().flat_map(|node| node.ranks().to_vec()).collect();
    for rank in &ranks {
        prints::on(*rank).remote().get().expect("it prints");
    }
    println!("the driver ends by {how}");
    match how {
        "return" => Ok(()),
        "error" => Err("the driver's own error".to_string()),
        "panic" => panic!("the driver's own panic"),
        "sleep" => {
            let _running: Vec<_> = ranks.iter().map(|rank| sleeps::on(*rank).remote()).collect();
            std::thread::sleep(Duration::from_secs(600));
            Ok(())
        }
        other => end(other),
    }
}
