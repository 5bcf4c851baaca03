//! Payments to accounts on every rank: each balance must be exact, although the accounts' ranks die.

use crate::Outcome;
use mobula::prelude::*;

const ACCOUNTS: usize = 8;
const PAYMENTS: u64 = 1000;

/// The longest wait: a call without a result fails the program and does not hang it.
const PATIENCE: Duration = Duration::from_secs(40);

/// An account. If its rank dies, it is restarted elsewhere with the balance that its owner, the driver, stores.
pub struct Account {
    balance: u64,
}

#[mobula::actor(checkpoint, max_restarts = 1000, max_task_retries = 1000)]
impl Account {
    pub fn new() -> Self {
        Account { balance: 0 }
    }
    /// Takes 500 us, so that ranks die during calls.
    pub fn pay(&mut self, amount: u64) -> u64 {
        std::thread::sleep(Duration::from_micros(500)); // the work of a call
        self.balance += amount;
        self.balance
    }
    pub fn rank(&self) -> u32 {
        mobula::context().rank()
    }
    fn save(&self) -> u64 {
        self.balance
    }
    fn restore(balance: u64) -> Self {
        Account { balance }
    }
}

fn locations(accounts: &[AccountHandle]) -> mobula::Result<Vec<u32>> {
    let ranks: Vec<_> = accounts.iter().map(|account| account.rank()).collect();
    ranks.iter().map(|rank| rank.get_timeout(PATIENCE).map(|rank| *rank)).collect()
}

fn paid() -> mobula::Result<Outcome> {
    let open = || Account::options().place(Placement::Spread).remote();
    let accounts: Vec<AccountHandle> = (0..ACCOUNTS).map(|_| open()).collect();
    let before = locations(&accounts)?;
    let mut balance = 0;
    for payment in 1..=PAYMENTS {
        balance += payment;
        let paid: Vec<_> = accounts.iter().map(|account| account.pay(payment)).collect();
        for (number, call) in paid.iter().enumerate() {
            let now = *call.get_timeout(PATIENCE)?;
            if now != balance {
                return Ok(Err(format!("after payment {payment} account {number} has {now} instead of {balance}")));
            }
        }
    }
    let moved = locations(&accounts)?.iter().zip(before).filter(|(now, before)| *now != before).count();
    Ok(Ok(format!("{ACCOUNTS} accounts of {balance}, {moved} of them moved to other ranks")))
}

pub fn run() -> Outcome {
    paid().map_err(|error| error.to_string())?
}
