//! What an actor's impl block needs, and what its `pub` methods cannot be.

struct Nothing;

#[mobula::actor]
impl Nothing {
    pub fn look(&self) {}
}

struct Wrapper<T>(T);

#[mobula::actor]
impl<T> Wrapper<T> {
    pub fn new(inner: T) -> Self {
        Wrapper(inner)
    }
}

struct Counter {
    value: u64,
}

#[mobula::actor]
impl Counter {
    pub fn new() -> Self {
        Counter { value: 0 }
    }

    pub fn finish(self) -> u64 {
        self.value
    }
}

struct Log(Vec<String>);

#[mobula::actor]
impl Log {
    pub fn new() -> Self {
        Log(Vec::new())
    }

    pub fn lines(&self) -> &Vec<String> {
        &self.0
    }
}

fn main() {}
