//! A method belongs to an actor.

struct Counter {
    value: u64,
}

impl Counter {
    #[mobula::remote]
    fn increment(&mut self) -> u64 {
        self.value += 1;
        self.value
    }
}

fn main() {}
