//! A result outlives the arguments.

#[mobula::remote]
fn first<'a>(words: &'a [String]) -> &'a String {
    &words[0]
}

#[mobula::remote]
fn second(words: &Vec<String>) -> &String {
    &words[1]
}

#[mobula::remote]
fn third(words: Vec<&str>) -> usize {
    words.len()
}

fn main() {}
