//! Tasks on a rank that dies.

use crate::Outcome;
use crate::victims::{PATIENCE, arrive, await_arrivals, await_death, died, kill, names, process, process_of, stay};
use mobula::prelude::*;

/// Never returns on `victim`; on other ranks it returns its number.
#[mobula::remote]
fn avoid(victim: u32, number: u64) -> u64 {
    if mobula::context().rank() == victim { stay("avoid") } else { number }
}

/// One of them is on rank 1 when it dies: without retries it fails with the rank's name, with retries it succeeds
/// elsewhere.
pub fn no_retries() -> Outcome {
    let spread = |retries| -> Vec<ObjectRef<u64>> {
        let once = || avoid::options().max_retries(retries).place(Placement::Spread);
        (0..4).map(|number| once().remote(1u32, number)).collect()
    };
    let (never, once) = (spread(0), spread(1));
    // One task of each four is on rank 1.
    await_arrivals("avoid", 2);
    kill(1)?;
    let outcomes: Vec<_> = never.iter().map(ObjectRef::get).collect();
    let failed: Vec<_> = outcomes.into_iter().filter_map(Result::err).collect();
    assert!(failed.len() == 1 && names(&failed[0], 1), "{failed:?}");
    for (number, reference) in once.iter().enumerate() {
        assert_eq!(*reference.get()?, number as u64);
    }
    assert!(mobula::error_info().iter().any(|error| names(error, 1)), "{:?}", mobula::error_info());
    Ok(())
}

/// Like `avoid`, with a list of references as argument and a list of results.
#[mobula::remote(num_returns = "many")]
fn avoid_with(victim: u32, parts: Vec<u64>) -> Vec<u64> {
    if mobula::context().rank() == victim { stay("avoid with") } else { parts.iter().map(|part| part + 1).collect() }
}

/// Without retries each result fails with the rank's name; with retries the task gets the list of references again
/// elsewhere.
pub fn lists() -> Outcome {
    let parts = (0..3).map(mobula::put).collect::<mobula::Result<Vec<ObjectRef<u64>>>>()?;
    let spread = |retries| -> Vec<Vec<ObjectRef<u64>>> {
        let once = || avoid_with::options().num_returns(3).max_retries(retries).place(Placement::Spread);
        (0..4).map(|_| once().remote(1u32, &parts)).collect()
    };
    let (never, once) = (spread(0), spread(1));
    await_arrivals("avoid with", 2);
    kill(1)?;
    let failed: Vec<_> = never.iter().flatten().filter_map(|part| part.get().err()).collect();
    assert!(failed.len() == 3 && failed.iter().all(|error| names(error, 1)), "{failed:?}");
    for results in once {
        let values: Vec<u64> = mobula::get_all(&results)?.iter().map(|value| **value).collect();
        assert_eq!(values, [1, 2, 3]);
    }
    Ok(())
}

#[mobula::remote]
fn stores() -> mobula::Result<ObjectRef<Vec<u64>>> {
    mobula::put(vec![1; 20_000])
}

/// Never returns on ranks 1 and 2. On other ranks it reads its argument only if it is a retry.
#[mobula::remote]
fn takes(values: Vec<ObjectRef<Vec<u64>>>) -> mobula::Result<u64> {
    if [1, 2].contains(&mobula::context().rank()) {
        stay("takes");
    }
    if process_of(2).is_ok() { Ok(0) } else { Ok(values[0].get()?.iter().sum()) }
}

/// Retried tasks whose argument was lost with its owner fail with the owner's name: none waits for it, none runs
/// without it.
pub fn arguments_lost() -> Outcome {
    let values = vec![(*stores::on(2).remote().get()?).clone()];
    let results: Vec<_> = (0..4).map(|_| takes::options().place(Placement::Spread).remote(values.clone())).collect();
    await_arrivals("takes", 2);
    let (finished, retried) = mobula::wait(&results, 2, PATIENCE)?;
    assert_eq!((finished.len(), retried.len()), (2, 2));
    kill(2)?;
    await_death(2);
    kill(1)?;
    for (number, result) in retried.iter().enumerate() {
        died(&format!("retried task {number}"), result.get(), 2);
    }
    Ok(())
}

/// A task can be sent to a rank at any time; if the rank dies, each task without a result fails with its name.
pub fn sent_to_dead_rank() -> Outcome {
    kill(1)?;
    let sent: Vec<ObjectRef<u32>> = (0..200).map(|_| process::on(1).remote()).collect();
    let outcomes: Vec<_> = sent.iter().map(ObjectRef::get).collect();
    for outcome in outcomes {
        if let Err(error) = outcome {
            assert!(names(&error, 1), "{error:?}");
        }
    }
    await_death(1);
    let listed: Vec<u32> = mobula::nodes().iter().flat_map(|node| node.ranks().to_vec()).collect();
    assert_eq!(listed, [0, 2, 3], "the dead rank left");
    died("a task for the dead rank", process::on(1).remote().get(), 1);
    died("placed there", process::options().place(Placement::Rank(1)).remote().get(), 1);
    // From another rank too, which notices the death itself.
    let error = error_of_call_to::on(2).remote(1u32).get()?;
    assert!(error.contains("rank 1 on host"), "{error}");
    Ok(())
}

#[mobula::remote]
fn error_of_call_to(rank: u32) -> String {
    crate::victims::soon("rank 2 knows of the death", || process::on(rank).remote().get().is_err());
    process::on(rank).remote().get().map_or_else(|error| error.to_string(), |process| format!("alive: {process}"))
}

/// Takes 1 ms, so that idle ranks steal it; never returns on `victim`.
#[mobula::remote]
fn small(victim: u32, number: u64) -> u64 {
    if mobula::context().rank() == victim {
        stay(&format!("small {victim}"));
    }
    std::thread::sleep(Duration::from_millis(1));
    number
}

/// Submits many tasks on this rank, which others steal and pass on; returns their sum.
#[mobula::remote]
fn submit_small(victim: u32, count: u64) -> mobula::Result<u64> {
    let refs: Vec<ObjectRef<u64>> = (0..count).map(|number| small::remote(victim, number)).collect();
    arrive("submitted");
    refs.iter().map(|reference| reference.get().map(|value| *value)).sum()
}

/// Stealers die, with tasks that they hold and have passed on, of the driver and of another rank.
pub fn stolen() -> Outcome {
    const COUNT: u64 = 600;
    let sum = COUNT * (COUNT - 1) / 2;
    let own: Vec<ObjectRef<u64>> = (0..COUNT).map(|number| small::remote(1u32, number)).collect();
    await_arrivals("small 1", 1);
    kill(1)?;
    let mut total = 0;
    for reference in &own {
        total += *reference.get()?;
    }
    assert_eq!(total, sum, "every task of the driver once");
    let of_rank_2 = submit_small::on(2).remote(3u32, COUNT);
    await_arrivals("submitted", 1);
    await_arrivals("small 3", 1);
    kill(3)?;
    assert_eq!(*of_rank_2.get()?, sum, "every task of rank 2 once");
    Ok(())
}
