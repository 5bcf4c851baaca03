//! Claims of one task by several threads, in every order.

use super::*;
use crate::base::sync::{explore, thread};
use crate::objects::Promise;
use crate::registry::Arg;

struct Double;

impl Callable for Double {
    type Args = (Arg<u64>,);
    type Outputs = Single<u64>;
    const NAME: &'static str = "double";
    const PATH: &'static str = "model::double";
    const SIGNATURE: &'static str = "fn double(x: u64) -> u64";
    const KIND: FunctionKind = FunctionKind::Task;
    fn invoke((x,): Self::Args, _: &mut ActorState) -> Result<u64, Failure> {
        Ok(2 * x.value())
    }
}

fn task() -> Arc<Task<Double>> {
    Task::new(TaskHeader::new(None, 0), (Arg::Value(21),))
}

fn run(task: &Task<Double>) {
    task.invoke(&mut None, &|_| Error::config("failed"));
}

/// The winner of the claim owns the arguments alone, and sees what was done before `queue_fresh`; every thread sees the
/// result.
#[test]
fn queued_task_is_claimed_once() {
    explore(3, || {
        let (task, before) = (task(), Arc::new(Promise::<u64>::default()));
        let claiming = [(); 2].map(|()| {
            let (task, before) = (task.clone(), before.clone());
            thread::spawn(move || {
                let claimed = task.header().claim();
                if claimed {
                    assert!(before.value().is_some(), "queued before all was done");
                    run(&task);
                }
                claimed
            })
        });
        before.complete(21).unwrap();
        task.header().queue_fresh();
        let claimed = task.header().claim();
        if claimed {
            run(&task);
        }
        let claims = claiming.map(|thread| thread.join().unwrap());
        assert_eq!(claims.into_iter().chain([claimed]).filter(|claimed| *claimed).count(), 1);
        assert_eq!(task.promises.value(), Some(&42));
    });
}

/// The claimer sees what the thread that completed the last argument did before `queue`.
#[test]
fn waiting_task_is_queued_or_cancelled() {
    explore(4, || {
        let (task, argument) = (task(), Arc::new(Promise::<u64>::default()));
        let completing = thread::spawn({
            let (task, argument) = (task.clone(), argument.clone());
            move || {
                argument.complete(21).unwrap();
                task.header().queue()
            }
        });
        let cancelling = thread::spawn({
            let task = task.clone();
            move || task.header().claim_waiting()
        });
        let claimed = task.header().claim();
        if claimed {
            assert_eq!(argument.value(), Some(&21), "queued before its argument was there");
            run(&task);
        }
        let (queued, cancelled) = (completing.join().unwrap(), cancelling.join().unwrap());
        assert!(queued != cancelled, "one of the two takes it out of Waiting");
        assert!(!claimed || queued);
        let late = task.header().claim();
        assert_eq!(u8::from(claimed) + u8::from(late) + u8::from(cancelled), 1);
        assert_eq!(task.header().phase(), TaskPhase::Claimed);
    });
}
