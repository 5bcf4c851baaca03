//! Values in each other as deep as they can be sent to another rank. Dropping them takes stack for each level, wherever
//! that is done. The driver makes them, with a stack on which any of them can be dropped.

use crate::{Case, far};
use mobula::prelude::*;
use serde::{Deserialize, Serialize};

pub const CASES: &[Case] = &[("deep-lists", list::all), ("deep-drops", dropped::all)];

#[derive(Serialize, Deserialize)]
pub enum List {
    End,
    Cons(Box<List>),
}

impl List {
    fn new(length: usize) -> List {
        (0..length).fold(List::End, |inner, _| List::Cons(Box::new(inner)))
    }

    fn inner(&self) -> Option<&List> {
        match self {
            List::End => None,
            List::Cons(inner) => Some(inner),
        }
    }
}

/// Its own `Drop` takes a few times the stack of a box.
#[derive(Serialize, Deserialize)]
pub struct Dropped(Option<Box<Dropped>>);

impl Dropped {
    fn new(depth: usize) -> Dropped {
        (0..depth).fold(Dropped(None), |inner, _| Dropped(Some(Box::new(inner))))
    }

    fn inner(&self) -> Option<&Dropped> {
        self.0.as_deref()
    }
}

impl Drop for Dropped {
    fn drop(&mut self) {
        let used = std::hint::black_box([1_u8; 64]);
        drop(self.0.take());
        assert_eq!(std::hint::black_box(used)[63], 1);
    }
}

/// The largest depth for which this returns it; for larger ones it returns the error of a value that is too deep.
fn largest(what: &str, passes: impl Fn(usize) -> mobula::Result<usize>) {
    let (mut good, mut bad) = (0_usize, 1001);
    while good + 1 < bad {
        let depth = good.midpoint(bad);
        match passes(depth) {
            Ok(passed) => {
                assert_eq!(passed, depth);
                good = depth;
            }
            Err(error) => {
                let text = error.to_string();
                assert!(text.contains("values lie in each other"), "{what}: {text}");
                bad = depth;
            }
        }
    }
    println!("{what}: {good} levels");
    assert!(good >= 5, "{what}: only {good}");
}

macro_rules! deep {
    ($module:ident: $type:ident) => {
        mod $module {
            use super::*;

            fn depth(value: &$type) -> usize {
                std::iter::successors(Some(value), |value| value.inner()).count() - 1
            }

            #[mobula::remote]
            fn takes(value: $type) -> usize {
                depth(&value)
            }

            #[mobula::remote]
            fn reads(value: &$type) -> usize {
                depth(value)
            }

            #[mobula::remote]
            fn back(value: $type) -> $type {
                value
            }

            #[mobula::remote]
            fn gets(values: Vec<ObjectRef<$type>>) -> mobula::Result<usize> {
                Ok(depth(&*values[0].get()?))
            }

            /// Several times: it depends on the moment which thread reads what arrives.
            pub fn all() -> mobula::Result<()> {
                let rank = far();
                let what = |what: &str| format!("{}: {what}", stringify!($module));
                for _ in 0..5 {
                    largest(&what("taken"), |count| Ok(*takes::on(rank).remote($type::new(count)).get()?));
                    largest(&what("read"), |count| Ok(*reads::on(rank).remote($type::new(count)).get()?));
                    largest(&what("returned"), |count| Ok(depth(&*back::on(rank).remote($type::new(count)).get()?)));
                    largest(&what("fetched"), |count| {
                        Ok(*gets::on(rank).remote(vec![mobula::put($type::new(count))?]).get()?)
                    });
                }
                Ok(())
            }
        }
    };
}
deep!(list: List);
deep!(dropped: Dropped);
