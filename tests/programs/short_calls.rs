//! Calls of few numbers on another rank, and those that only look alike. Prints what each gave: the same, whichever
//! path the calls take.

use mobula::prelude::*;

#[mobula::remote]
fn mixed(a: u8, b: i16, c: u32, d: f64, e: bool, f: i128) -> f64 {
    f64::from(a) + f64::from(b) + f64::from(c) + d + f64::from(u8::from(e)) + f as f64
}

#[mobula::remote]
fn wide(a: u128, b: u128, c: u64) -> u128 {
    a ^ b ^ u128::from(c)
}

#[mobula::remote]
fn too_wide(a: u128, b: u128, c: u64, d: u8) -> u128 {
    a ^ b ^ u128::from(c) ^ u128::from(d)
}

#[mobula::remote]
fn nothing() {}

#[mobula::remote]
fn text_of(number: u64) -> String {
    number.to_string()
}

#[mobula::remote]
fn length_of(text: String) -> usize {
    text.len()
}

#[mobula::remote]
fn two(number: u64) -> (u64, u64) {
    (number, number + 1)
}

#[mobula::remote(num_returns = 2)]
fn two_objects(number: u64) -> (u64, String) {
    (number, number.to_string())
}

#[mobula::remote(num_returns = "many")]
fn many_objects(count: u64) -> Vec<u64> {
    (0..count).collect()
}

#[mobula::remote]
fn fails(number: u64) -> Result<u64, String> {
    if number.is_multiple_of(2) { Ok(number) } else { Err(format!("{number} is odd")) }
}

#[mobula::remote]
fn panics(number: u64) -> u64 {
    assert!(number.is_multiple_of(2), "{number} is odd");
    number
}

#[mobula::remote]
fn where_it_runs() -> u32 {
    mobula::context().rank()
}

#[mobula::remote]
fn add(a: u64, b: u64) -> u64 {
    a + b
}

/// Calls back to the rank that the call came from, and waits: the fiber that runs it blocks.
#[mobula::remote]
fn sum_to(number: u64, back: u32) -> u64 {
    if number == 0 { 0 } else { number + *sum_to::on(back).remote(number - 1, mobula::context().rank()).get().unwrap() }
}

/// Runs until its waits fail, because it was cancelled.
#[mobula::remote]
fn waits(number: u64) -> u64 {
    while !matches!(nothing::remote().get_timeout(Duration::from_millis(1)), Err(Error::Cancelled { .. })) {}
    number
}

#[mobula::remote(leaf)]
fn leaf_adds(a: u64, b: f32) -> f64 {
    a as f64 + f64::from(b)
}

#[mobula::remote(leaf)]
fn leaf_fails(number: u64) -> Result<u64, String> {
    if number.is_multiple_of(2) { Ok(number) } else { Err(format!("{number} is odd")) }
}

#[mobula::remote(leaf)]
fn leaf_panics(number: u64) -> u64 {
    assert!(number.is_multiple_of(2), "{number} is odd");
    number
}

#[mobula::remote(leaf)]
fn leaf_text(number: u64) -> String {
    number.to_string()
}

#[mobula::remote(leaf)]
fn leaf_length(text: String) -> usize {
    text.len()
}

#[mobula::remote(leaf)]
fn leaf_calls(number: u64) -> mobula::Result<u64> {
    add::on(0).remote(number, 1).get().map(|one| *one)
}

#[mobula::remote(leaf)]
fn leaf_waits(milliseconds: u64) -> u64 {
    std::thread::sleep(Duration::from_millis(milliseconds));
    milliseconds
}

/// An actor that leaf functions must not call.
pub struct Counter(u64);

#[mobula::actor]
impl Counter {
    /// From 0.
    pub fn new() -> Counter {
        Counter(0)
    }
    /// The sum so far.
    pub fn add(&mut self, by: u64) -> u64 {
        self.0 += by;
        self.0
    }
}

/// An actor that notes what it is called with, in order.
pub struct Journal(Vec<u64>);

#[mobula::actor]
impl Journal {
    /// Empty.
    pub fn new() -> Journal {
        Journal(Vec::new())
    }
    /// A number; returns how many there were before.
    pub fn note(&mut self, number: u64) -> u64 {
        self.0.push(number);
        self.0.len() as u64 - 1
    }
    /// The first of many numbers.
    pub fn note_first(&mut self, numbers: Vec<u64>) -> u64 {
        self.note(numbers[0])
    }
    /// A number; the text of it.
    pub fn note_text(&mut self, number: u64) -> String {
        self.note(number).to_string()
    }
    /// Odd numbers are noted, and are failures.
    pub fn note_even(&mut self, number: u64) -> Result<u64, String> {
        self.note(number);
        if number.is_multiple_of(2) { Ok(number) } else { Err(format!("{number} is odd")) }
    }
    /// The same with a panic.
    pub fn assert_even(&mut self, number: u64) -> u64 {
        self.note(number);
        assert!(number.is_multiple_of(2), "{number} is odd");
        number
    }
    /// All numbers noted.
    pub fn all(&self) -> Vec<u64> {
        self.0.clone()
    }
    /// Calls back to the actor's caller, and waits.
    pub fn note_sum(&mut self, number: u64, back: u32) -> u64 {
        self.note(number);
        *add::on(back).remote(number, 1).get().unwrap()
    }
}

/// Calls of an actor on `far`, in the order made, whatever each of them takes.
fn methods(far: u32) -> mobula::Result<()> {
    let journal = Journal::on(far).remote();
    let mut places = Vec::new();
    for number in (0..60).step_by(6) {
        places.push(journal.note(number));
        places.push(journal.note_first(vec![number + 1; 40_000]));
        places.push(journal.note(number + 2));
        places.push(journal.note(add::on(0).remote(number, 3)));
        places.push(journal.note(number + 4));
        places.push(journal.note_first(vec![number + 5]));
    }
    println!("places {:?}", places.iter().map(|place| shown(place.get())).collect::<Vec<_>>());
    println!("noted {}", shown(journal.all().get()));
    println!("note text {}", shown(journal.note_text(60).get()));
    for number in [61, 62] {
        println!("note even {}", shown(journal.note_even(number).get()));
        println!("assert even {}", shown(journal.assert_even(number).get()));
    }
    println!("note sum {}", shown(journal.note_sum(70, 0).get()));
    let many: Vec<_> = (0..20_000).map(|number| journal.note(number)).collect();
    let sum: u64 = many.iter().map(|one| one.get().map_or(0, |one| *one)).sum();
    println!("many notes {sum}");
    let journal_of_threads = Journal::on(far).remote();
    let threads: Vec<_> = (0..4u64)
        .map(|thread| {
            let journal = journal_of_threads.clone();
            std::thread::spawn(move || (0..500).for_each(|number| drop(journal.note(thread * 1_000 + number).get())))
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().expect("it ends"));
    let noted = journal_of_threads.all().get()?;
    let is_ordered = |thread: &u64| noted.iter().filter(|number| *number / 1_000 == *thread).is_sorted();
    println!("each thread's calls in order: {} {}", noted.len(), (0..4).all(|thread| is_ordered(&thread)));
    journal.kill();
    println!("after the end {}", shown(journal.note(1).get()));
    Ok(())
}

/// Calls an actor whose name it knows, which it must not.
#[mobula::remote(leaf)]
fn leaf_calls_an_actor() -> mobula::Result<u64> {
    mobula::get_actor::<Counter>("counter")?.add(1).get().map(|one| *one)
}

fn leaves(far: u32) -> mobula::Result<()> {
    let counter = Counter::options().name("counter").remote();
    println!("counter {}", *counter.add(1).get()?);
    for place in [Placement::Rank(far), Placement::Rank(0), Placement::Auto] {
        println!("leaf adds {}", shown(leaf_adds::options().place(place.clone()).remote(3, 0.5).get()));
        println!("leaf text {}", shown(leaf_text::options().place(place.clone()).remote(7).get()));
        println!("leaf length {}", shown(leaf_length::options().place(place.clone()).remote("seven").get()));
        for number in [3, 4] {
            println!("leaf fails {}", shown(leaf_fails::options().place(place.clone()).remote(number).get()));
            println!("leaf panics {}", shown(leaf_panics::options().place(place.clone()).remote(number).get()));
        }
        println!("leaf calls {}", shown(leaf_calls::options().place(place.clone()).remote(1).get()));
        // Whether it already waits for the actor depends on the rank that knows the name.
        let called = shown(leaf_calls_an_actor::options().place(place.clone()).remote().get());
        println!("leaf calls an actor: {}", called.contains("not possible in the leaf function leaf_calls_an_actor:"));
    }
    for _ in 0..3 {
        println!("leaf waits {}", shown(leaf_waits::on(far).remote(5).get()));
    }
    let many: Vec<_> = (0..20_000u64).map(|number| leaf_adds::on(far).remote(number, 0.25)).collect();
    let sum: f64 = many.iter().map(|one| one.get().map_or(0.0, |one| *one)).sum();
    println!("many leaves {sum}");
    println!("counter {}", *counter.add(1).get()?);
    Ok(())
}

fn shown<T: std::fmt::Debug + mobula::Object>(result: mobula::Result<Ref<T>>) -> String {
    match result {
        Ok(value) => format!("{:?}", *value),
        // Without the process.
        Err(Error::Task { task, message, .. }) => format!("{task}: {message}"),
        Err(error) => error.to_string(),
    }
}

#[mobula::main]
fn main() -> mobula::Result<()> {
    let far = mobula::nodes().iter().flat_map(|node| node.ranks().to_vec()).max().unwrap_or_default();
    println!("mixed {}", shown(mixed::on(far).remote(1, -2, 3, 0.5, true, -(1 << 100)).get()));
    println!("wide {}", shown(wide::on(far).remote(u128::MAX, 7, u64::MAX).get()));
    println!("too wide {}", shown(too_wide::on(far).remote(u128::MAX, 7, u64::MAX, 9).get()));
    println!("nothing {}", shown(nothing::on(far).remote().get()));
    println!("text {}", shown(text_of::on(far).remote(77).get()));
    println!("length {}", shown(length_of::on(far).remote("seven").get()));
    println!("two {}", shown(two::on(far).remote(5).get()));
    let (first, second) = two_objects::on(far).remote(6);
    println!("two objects {} {}", shown(first.get()), shown(second.get()));
    let several = many_objects::on(far).num_returns(3).remote(3);
    println!("many objects {:?}", several.iter().map(|one| shown(one.get())).collect::<Vec<_>>());
    for number in [3, 4] {
        println!("fails {}", shown(fails::on(far).remote(number).get()));
        println!("panics {}", shown(panics::on(far).remote(number).get()));
    }
    println!("runs there: {}", *where_it_runs::on(far).remote().get()? == far);
    println!("there is no rank {}", shown(add::on(far + 1).remote(1, 2).get()));

    // Results as arguments, here and there, before and after they have come.
    let three = add::on(far).remote(1, 2);
    let six = add::on(far).remote(&three, &three);
    let nine = add::on(0).remote(&six, &three);
    println!("chained {} {}", shown(nine.get()), shown(add::on(far).remote(&nine, 1).get()));
    println!("sum {}", shown(sum_to::on(far).remote(30, 0).get()));

    let many: Vec<_> = (0..20_000u64).map(|number| add::on(far).remote(number, 1)).collect();
    let sum: u64 = many.iter().map(|one| one.get().map_or(0, |one| *one)).sum();
    println!("many {sum}");
    let threads: Vec<_> = (0..4u64)
        .map(|thread| {
            std::thread::spawn(move || {
                (0..500).map(|number| add::on(far).remote(thread, number).get().map_or(0, |one| *one)).sum::<u64>()
            })
        })
        .collect();
    let sums: Vec<u64> = threads.into_iter().map(|thread| thread.join().expect("it ends")).collect();
    println!("threads {sums:?}");

    let cancelled: Vec<_> = (0..3).map(|number| waits::on(far).remote(number)).collect();
    cancelled.iter().for_each(mobula::cancel);
    let texts: Vec<String> = cancelled.iter().map(|one| shown(one.get())).collect();
    println!("cancelled {texts:?}");
    leaves(far)?;
    methods(far)?;
    println!("dropped without a get");
    drop((0..1000u64).map(|number| add::on(far).remote(number, 1)).collect::<Vec<_>>());
    println!("after all: {}", shown(add::on(far).remote(20, 22).get()));
    Ok(())
}
