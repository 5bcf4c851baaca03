//! Accounts on every rank that are paid into: each sum must come out to the last unit, though the accounts' ranks die.
//!
//! Nothing restarts an actor yet: who pays keeps the last balance that an account told, and opens one with that balance when
//! the account is gone. Where actors are restarted with their state, `opened` asks for it, and `ActorDied` becomes an error.

use crate::Outcome;
use mobula::prelude::*;

const ACCOUNTS: usize = 8;
const PAYMENTS: u64 = 1000;

/// Nobody waits longer: a call that is never answered is a failure, and no hang.
const PATIENCE: Duration = Duration::from_secs(40);

/// An account.
pub struct Account {
    balance: u64,
}

#[mobula::actor]
impl Account {
    pub fn new(balance: u64) -> Self {
        Account { balance }
    }
    /// Takes its time, so that ranks die in the midst of calls.
    pub fn pay(&mut self, amount: u64) -> u64 {
        std::thread::sleep(Duration::from_micros(500)); // what a call takes
        self.balance += amount;
        self.balance
    }
}

fn opened(balance: u64) -> AccountHandle {
    Account::options().place(Placement::Spread).remote(balance)
}

pub fn run() -> Outcome {
    let mut accounts: Vec<(AccountHandle, u64)> = (0..ACCOUNTS).map(|_| (opened(0), 0)).collect();
    let mut opened_again = 0;
    for payment in 1..=PAYMENTS {
        let paid: Vec<_> = accounts.iter().map(|(account, _)| account.pay(payment)).collect();
        for (number, first) in paid.into_iter().enumerate() {
            let (account, balance) = &mut accounts[number];
            let mut outcome = first.get_timeout(PATIENCE).map(|balance| *balance);
            loop {
                match outcome {
                    Ok(told) => break *balance = told,
                    Err(Error::ActorDied { .. } | Error::NodeDied { .. }) => {
                        opened_again += 1;
                        *account = opened(*balance);
                        outcome = account.pay(payment).get_timeout(PATIENCE).map(|balance| *balance);
                    }
                    Err(other) => return Err(other.to_string()),
                }
            }
        }
    }
    let expected = PAYMENTS * (PAYMENTS + 1) / 2;
    let balances: Vec<u64> = accounts.iter().map(|(_, balance)| *balance).collect();
    if balances.iter().all(|balance| *balance == expected) {
        Ok(format!("{ACCOUNTS} accounts of {expected}, {opened_again} opened again"))
    } else {
        Err(format!("{balances:?}, and not {expected}"))
    }
}
