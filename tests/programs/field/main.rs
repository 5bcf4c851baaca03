//! What failed in programs of users: `field CASE..`, on any number of ranks. Each case ends with `ok: CASE`.

mod deep_values;
mod failures;
mod long_values;
mod processes;
mod values;
mod waiting_threads;
mod where_it_runs;

/// A case, by its name.
type Case = (&'static str, fn() -> mobula::Result<()>);

/// The last rank: another one, if there are several.
fn far() -> u32 {
    mobula::nodes().iter().flat_map(|node| node.ranks().to_vec()).max().unwrap_or(0)
}

#[mobula::main]
fn main() -> mobula::Result<()> {
    let groups = [failures::CASES, long_values::CASES, processes::CASES, values::CASES, where_it_runs::CASES];
    let mut cases: Vec<Case> = groups.concat();
    cases.extend(waiting_threads::CASES);
    cases.extend(deep_values::CASES);
    for name in std::env::args().skip(1) {
        let Some((_, case)) = cases.iter().find(|(case, _)| *case == name) else { panic!("there is no case {name}") };
        case()?;
        println!("ok: {name}");
    }
    Ok(())
}
