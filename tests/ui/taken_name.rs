//! A function whose name a module or a type of its module has, and attributes with which it cannot be remote.

mod solve {
    pub fn inner() -> u32 {
        7
    }
}

#[mobula::remote]
fn solve() -> u32 {
    solve::inner()
}

#[allow(non_camel_case_types)]
struct model {}

#[mobula::remote]
fn model() -> u32 {
    1
}

#[mobula::remote]
fn u32() {}

struct Counter;
struct CounterHandle;

#[mobula::actor]
impl Counter {
    pub fn new() -> Self {
        Counter
    }
}

#[mobula::remote]
#[target_feature(enable = "avx2")]
fn wide() {}

fn main() {}
