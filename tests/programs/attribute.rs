//! `#[mobula::main]`: the ways in which a body ends, `attribute CASE`.

#[mobula::remote]
fn fails() -> Result<u64, String> {
    Err("the task failed".to_string())
}

#[mobula::remote]
fn rank() -> u32 {
    mobula::context().rank()
}

#[mobula::main(num_cpus = 3, num_gpus = 1, resources = { "Custom": 2 }, store_bytes = 33_554_432)]
fn main() -> mobula::Result<()> {
    // Only rank 0 runs this.
    assert_eq!(mobula::context().rank(), 0);
    let totals = mobula::cluster_resources();
    assert_eq!((totals["CPU"], totals["GPU"], totals["Custom"]), (3.0, 1.0, 2.0));
    let last = mobula::nodes().iter().flat_map(|node| node.ranks().to_vec()).max().unwrap_or(0);
    assert_eq!(*rank::on(last).remote().get()?, last);
    match std::env::args().nth(1).as_deref() {
        Some("error") => {
            fails::on(last).remote().get()?;
        }
        Some("panic") => panic!("the body panicked"),
        Some("exit") => std::process::exit(3),
        Some("early") => return Ok(()),
        _ => println!("ok: {} ranks", last + 1),
    }
    println!("the body ended");
    Ok(())
}
