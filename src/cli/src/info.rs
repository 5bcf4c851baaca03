//! `mobula info`: what this host offers, or what every host of the job does.

use crate::demo::on_rank_0;
use crate::failure::Result;
use mobula::prelude::*;

/// Options of `mobula info`.
#[derive(clap::Args)]
pub struct Options {
    /// Start the job's ranks and show every host, its ranks, and what the cluster has in all
    #[arg(long)]
    cluster: bool,
}

/// Headings with their lines.
type Report = Vec<(String, Vec<String>)>;

/// Prints the report of this host, or of the cluster.
///
/// # Errors
/// With `--cluster`, what kept the ranks from joining.
pub fn run(options: &Options) -> Result<()> {
    if options.cluster {
        return on_rank_0(Config::default(), cluster);
    }
    print(&mobula::host_report(), "");
    Ok(())
}

/// What the host of the rank that runs it offers.
#[mobula::remote(num_cpus = 0)]
fn report_host() -> Report {
    mobula::host_report()
}

fn cluster() -> Result<()> {
    for node in mobula::nodes() {
        let ranks: Vec<String> = node.ranks().iter().map(u32::to_string).collect();
        println!("{} (ranks {})", node.name(), ranks.join(" "));
        let report = report_host::on(node.ranks()[0]).remote().get()?;
        print(&report, "  ");
    }
    println!("roads");
    mobula::roads().iter().for_each(|line| println!("  {line}"));
    let totals: Vec<String> =
        mobula::cluster_resources().into_iter().map(|(name, amount)| format!("{amount} {name}")).collect();
    println!("cluster: {}", totals.join(", "));
    Ok(())
}

/// Headings flush, their lines below them.
fn print(report: &Report, indent: &str) {
    for (heading, lines) in report {
        println!("{indent}{heading}");
        for line in lines {
            println!("{indent}  {line}");
        }
    }
}
