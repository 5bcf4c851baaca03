//! Calls of C, and what C calls.

use mixed::norm;
use mobula::{Array, Error, ObjectRef};
use mobula_capi::{CReference, reference_for_c, reference_from_c};

mobula::c_task!(fn add(f64, f64) -> f64);
mobula::c_task! {
    /// The array times a number, and its address in the task.
    fn scaled(x: Array<f64>, factor: f64) -> (Array<f64>, u64) = "linear::scaled"
}
mobula::c_task!(fn greet(String) -> String);
mobula::c_task!(fn fails());
mobula::c_task!(fn nothing());
mobula::c_task!(fn gives_actor() -> String);
mobula::c_task! {
    #[cfg(target_os = "none")]
    fn of_no_system(Unknown) -> f64
}
mobula::c_task!(fn missing(f64) -> f64);
mobula::c_task!(fn add_of_another_type(f64, u32) -> f64 = "add");
mobula::c_task!(fn add_as_integer(f64, f64) -> i64 = "add");
mobula::c_task!(fn add_of_two(f64, f64) -> (f64, f64) = "add");

unsafe extern "C" {
    fn register_tasks();
    #[link_name = "call_rust"]
    fn c_calls_rust(last_rank: u32);
    fn scaled_by_c(x: *mut CReference, address: *mut u64) -> *mut CReference;
    fn mobula_ref_free(reference: *mut CReference);
}

/// Registers those tasks of C that are not registered before main.
pub fn register() {
    // SAFETY: it registers functions, and takes nothing.
    unsafe { register_tasks() };
}

/// C calls the functions of Rust.
pub fn call_rust(last_rank: u32) {
    // SAFETY: it calls mobula only, in a running cluster.
    unsafe { c_calls_rust(last_rank) };
}

fn type_error<T: mobula::Object>(reference: &ObjectRef<T>) -> String {
    match reference.get() {
        Err(Error::Type { function, mismatch }) => format!("{function}: {mismatch}"),
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("it did not fail"),
    }
}

/// Rust calls the tasks of C, also on the last rank.
pub fn call_c(last: u32) -> mobula::Result<()> {
    let x = add::remote(1.0, 2.0);
    let y = add::on(last).remote(&x, 10.0);
    assert_eq!((*x.get()?, *y.get()?), (3.0, 13.0));
    assert_eq!(
        *norm::remote(mobula::put_array(&[3.0, 4.0])?, add::options().num_cpus(0.5).remote(1.0, 1.0)).get()?,
        5.0
    );

    let array: ObjectRef<Array<f64>> = mobula::put_array(&[1.5; 1000])?;
    let (twice, _) = scaled::on(last).remote(&array, 2.0);
    let (again, _) = scaled::remote(twice, 2.0);
    assert_eq!((again.get()?.len(), again.get()?[999]), (1000, 6.0));
    let (_, address) = scaled::on(mobula::context().rank()).remote(&array, 2.0);
    assert_eq!(*address.get()?, array.get()?.as_ptr().addr() as u64, "C reads it where it lies");
    let (few, _) = scaled::on(last).remote(mobula::put_array(&[1.0, 2.0])?, 3.0);
    assert_eq!(**few.get()?, [3.0, 6.0]);
    assert_eq!(greet::on(last).remote("Rust").get()?.as_str(), "hello Rust");
    nothing::on(last).remote().get()?;

    let failed = fails::on(last).remote().get().unwrap_err().to_string();
    assert!(failed.contains("task fails failed") && failed.contains("on purpose"), "{failed}");
    let unknown = missing::remote(1.0);
    assert!(unknown.is_ready(), "it is refused at once");
    let unknown = unknown.get().unwrap_err().to_string();
    assert!(unknown.contains("no function named \"missing\" is registered"), "{unknown}");
    let other = type_error(&add_of_another_type::on(last).remote(1.0, 2));
    assert_eq!(other, "add: argument 1: it wants MOBULA_F64, and got MOBULA_U32");
    let other = type_error(&add_as_integer::on(last).remote(1.0, 2.0));
    assert_eq!(other, "add: result 0: mobula::c_task! declares one MOBULA_I64, and it returned 1 of MOBULA_F64");
    let other = type_error(&gives_actor::on(last).remote());
    assert!(other.ends_with("declares a well-formed text of MOBULA_BYTES, and it returned an actor"), "{other}");
    let (other, _) = add_of_two::remote(1.0, 2.0);
    assert!(other.is_ready(), "it is refused at once");
    assert_eq!(type_error(&other), "add: it has 1 results, and mobula::c_task! declares 2");
    Ok(())
}

/// A reference of Rust goes to C, and one of C comes back: to the same bytes.
pub fn exchange() -> mobula::Result<()> {
    let array: ObjectRef<Array<f64>> = mobula::put_array(&[1.5; 1000])?;
    let given = reference_for_c(&array)?;
    let mut address = 0;
    // SAFETY: a reference of C, and a place for a number.
    let doubled = unsafe { scaled_by_c(given, &raw mut address) };
    assert_eq!(address, array.get()?.as_ptr().addr() as u64);
    // SAFETY: C has returned it, and it is freed below.
    let (own, wrong) = unsafe { (reference_from_c::<Array<f64>>(doubled)?, reference_from_c::<u32>(doubled)?) };
    assert_eq!((own.get()?.len(), own.get()?[0]), (1000, 3.0));
    assert_eq!(type_error(&wrong), "a reference of C: Rust wants one MOBULA_U32, and got 1000 of MOBULA_F64");
    assert_eq!(*norm::remote(&own, 1.0).get()?, 3000.0);
    // SAFETY: both are not used again.
    unsafe {
        mobula_ref_free(given);
        mobula_ref_free(doubled);
    }
    Ok(())
}
