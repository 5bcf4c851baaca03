//! `mobula info`: what this host offers, or what every host of the job does.

use crate::demo::on_rank_0;
use crate::failure::Result;
use mobula::HostReport;
use mobula::prelude::*;

/// Options of `mobula info`.
#[derive(clap::Args)]
pub struct Options {
    /// Start the job's ranks and show every host, its ranks, and what the cluster has in all
    #[arg(long)]
    cluster: bool,
}

/// Prints the report of this host, or of the cluster.
///
/// # Errors
/// With `--cluster`, why the ranks could not join.
pub fn run(options: &Options) -> Result<()> {
    if options.cluster {
        return on_rank_0(Config::default(), cluster);
    }
    print(&mobula::host_report(), "");
    Ok(())
}

/// The report of the host of the rank that runs it.
#[mobula::remote(num_cpus = 0)]
fn report_host() -> HostReport {
    mobula::host_report()
}

fn cluster() -> Result<()> {
    for node in mobula::nodes() {
        let ranks: Vec<String> = node.ranks().iter().map(u32::to_string).collect();
        println!("{} (ranks {})", node.name(), ranks.join(" "));
        let report = report_host::on(node.ranks()[0]).remote().get()?;
        print(&report, "  ");
    }
    println!("transports");
    mobula::transports().to_string().lines().for_each(|line| println!("  {line}"));
    let totals: Vec<String> =
        mobula::cluster_resources().into_iter().map(|(name, amount)| format!("{amount} {name}")).collect();
    println!("cluster: {}", totals.join(", "));
    Ok(())
}

/// Prints a report with each line indented.
fn print(report: &HostReport, indent: &str) {
    report.to_string().lines().for_each(|line| println!("{indent}{line}"));
}
