//! Options of tasks and actors, and texts that name resources.

use crate::cluster::ClusterId;
use crate::given::owned;
use crate::layout::COptions;
use crate::pointers::{optional_text, sized, text};
use crate::status::Fault;
use mobula::__native::{CallOptions, Options};
use mobula::Placement;

/// `MOBULA_UNBOUNDED`: as often as it takes.
const UNBOUNDED: i32 = i32::MAX;

impl COptions {
    const DEFAULT: COptions = COptions {
        size: size_of::<COptions>(),
        num_cpus: -1.0,
        num_gpus: -1.0,
        resources: std::ptr::null(),
        memory: 0,
        max_retries: -1,
        max_restarts: -1,
        max_task_retries: -1,
        retry_on_error: 0,
        name: std::ptr::null(),
        placement: 0,
        rank: 0,
        host: std::ptr::null(),
        near: std::ptr::null(),
    };
}

/// The options of a call in the running cluster; NULL is none.
///
/// # Errors
/// `InvalidArgument` for those that do not exist; `Config` for an object of another cluster.
///
/// # Safety
/// The header's contract.
#[inline]
pub unsafe fn read_options(options: *const COptions, running: ClusterId) -> Result<CallOptions, Fault> {
    // SAFETY: the caller's promise.
    if options.is_null() { Ok(CallOptions::default()) } else { unsafe { read_given(options, running) } }
}

/// # Safety
/// As of `read_options`, and not NULL.
unsafe fn read_given(options: *const COptions, running: ClusterId) -> Result<CallOptions, Fault> {
    // SAFETY: the caller's promise.
    let given = unsafe { sized(options, COptions::DEFAULT, "options") }?;
    let amount = |amount: f64| (amount.is_nan() || amount >= 0.0).then_some(amount);
    let times = |times: i32| u32::try_from(times).ok().map(|own| if times == UNBOUNDED { u32::MAX } else { own });
    let mut read = Options {
        num_cpus: amount(given.num_cpus),
        num_gpus: amount(given.num_gpus),
        max_retries: times(given.max_retries),
        max_restarts: times(given.max_restarts),
        max_task_retries: times(given.max_task_retries),
        retry_on_error: (given.retry_on_error != 0).then_some(true),
        ..Options::default()
    };
    // SAFETY: the caller's promise.
    read.name = unsafe { optional_text(given.name, "options->name") }?.map(String::from);
    // SAFETY: the caller's promise.
    if let Some(resources) = unsafe { optional_text(given.resources, "options->resources") }? {
        for (name, amount) in parse_resources(resources, "options->resources")? {
            read.set_resource(name, amount);
        }
    }
    if given.memory > 0 {
        read.set_memory(given.memory);
    }
    read.place = match given.placement {
        0 => Placement::Auto,
        1 => Placement::Spread,
        2 => Placement::Rank(given.rank),
        // SAFETY: the caller's promise.
        3 => Placement::Host(unsafe { text(given.host, "options->host") }?),
        // SAFETY: the caller's promise.
        4 => Placement::Near(unsafe { owned(given.near, "options->near") }?.usable_in(running, "options->near")?),
        other => return Err(Fault::invalid(format!("options->placement is {other}, which is no mobula_placement"))),
    };
    Ok(match read.place {
        // The most frequent, which needs no memory of its own.
        Placement::Rank(rank) if read.requests_nothing() => CallOptions::default().on(rank),
        _ => read.into(),
    })
}

/// Resources as in `Custom=2,Licence=1`.
///
/// # Errors
/// `InvalidArgument`, with what is not of that form.
pub fn parse_resources(text: &str, argument: &str) -> Result<Vec<(String, f64)>, Fault> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let pair = part.split_once('=').map(|(name, amount)| (name.trim(), amount.trim().parse::<f64>()));
            match pair {
                Some((name, Ok(amount))) if !name.is_empty() => Ok((name.to_string(), amount)),
                _ => Err(Fault::invalid(format!("{argument}: {part:?} is not of the form Name=1"))),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_names_and_amounts() {
        let parsed = parse_resources("Custom=2, Licence = 0.5,", "resources").unwrap();
        assert_eq!(parsed, [("Custom".to_string(), 2.0), ("Licence".to_string(), 0.5)]);
        assert!(parse_resources("", "resources").unwrap().is_empty());
        for wrong in ["Custom", "=1", "Custom=x", "Custom=1;Licence=2"] {
            assert!(parse_resources(wrong, "resources").is_err(), "{wrong}");
        }
    }
}
