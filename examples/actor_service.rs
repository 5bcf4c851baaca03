//! A service: a named actor that any task finds by its name and shares with all others.
//!
//! The service keeps a table of words; tasks on any rank count words in lines of text and send it their counts.

use mobula::prelude::*;
use std::collections::BTreeMap;

const TEXT: &str = "the quick brown fox jumps over the lazy dog\n\
                    the dog sleeps and the fox runs\n\
                    over the hill and far away";

/// Words of some length, and how often each was seen.
pub struct Glossary {
    shortest: usize,
    words: BTreeMap<String, u64>,
}

#[mobula::actor]
impl Glossary {
    /// An empty table of words of at least `shortest` letters.
    pub fn new(shortest: usize) -> Self {
        Glossary { shortest, words: BTreeMap::new() }
    }

    /// Adds the counts of one line.
    pub fn add(&mut self, counted: BTreeMap<String, u64>) {
        for (word, count) in counted.into_iter().filter(|(word, _)| word.len() >= self.shortest) {
            *self.words.entry(word).or_default() += count;
        }
    }

    /// How often a word was seen.
    pub fn count(&self, word: &str) -> u64 {
        self.words.get(word).copied().unwrap_or(0)
    }

    /// How many different words there are.
    pub fn different(&self) -> usize {
        self.words.len()
    }
}

/// Counts the words of a line and sends the counts to the service, which it finds by name.
#[mobula::remote]
fn count_words(line: &str) -> mobula::Result<()> {
    let mut counted = BTreeMap::new();
    for word in line.split_whitespace() {
        *counted.entry(word.to_string()).or_default() += 1;
    }
    let glossary = mobula::get_actor::<Glossary>("glossary")?;
    glossary.add(counted).get()?;
    Ok(())
}

#[mobula::main]
fn main() -> mobula::Result<()> {
    let glossary = Glossary::options().name("glossary").place(Placement::Spread).remote(3);
    let lines: Vec<ObjectRef<()>> = TEXT.lines().map(count_words::remote).collect();
    mobula::get_all(&lines)?;

    // Calls of one caller run in the order made.
    let (the, words) = (glossary.count("the"), glossary.different());
    println!("ok: {} words, \"the\" {} times", *words.get()?, *the.get()?);
    glossary.kill();
    Ok(())
}
