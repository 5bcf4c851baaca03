//! What an actor with checkpoints needs, and what its `save` and `restore` cannot be.

struct Missing;

#[mobula::actor(checkpoint)]
impl Missing {
    pub fn new() -> Self {
        Missing
    }
    fn save(&self) -> u64 {
        0
    }
}

struct Changing;

#[mobula::actor(checkpoint)]
impl Changing {
    pub fn new() -> Self {
        Changing
    }
    fn save(&mut self) -> u64 {
        0
    }
    fn restore(_: u64) -> Self {
        Changing
    }
}

struct Borrowed;

#[mobula::actor(checkpoint)]
impl Borrowed {
    pub fn new() -> Self {
        Borrowed
    }
    fn save(&self) -> u64 {
        0
    }
    fn restore(_: &u64) -> Self {
        Borrowed
    }
}

struct Different;

#[mobula::actor(checkpoint)]
impl Different {
    pub fn new() -> Self {
        Different
    }
    fn save(&self) -> String {
        String::new()
    }
    fn restore(_: u64) -> Self {
        Different
    }
}

struct Remote;

#[mobula::actor(checkpoint)]
impl Remote {
    pub fn new() -> Self {
        Remote
    }
    pub fn save(&self) -> u64 {
        0
    }
    pub fn restore(_: u64) -> Self {
        Remote
    }
}

fn saves(remote: &RemoteHandle) {
    remote.save();
}

fn main() {}
