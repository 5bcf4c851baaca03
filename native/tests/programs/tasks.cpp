// Tasks in C++: every kind of argument and result, references, options, waiting, cancelling, errors.
#include "check.hpp"
#include <cmath>
#include <complex>
#include <map>

// A type with a codec.
template <> struct mobula::codec<std::map<std::string, int>> {
    static void write(writer &out, const std::map<std::string, int> &value) {
        out.write(std::vector<std::pair<std::string, int>>(value.begin(), value.end()));
    }
    static std::map<std::string, int> read(reader &in) {
        const auto pairs = in.read<std::vector<std::pair<std::string, int>>>();
        return std::map<std::string, int>(pairs.begin(), pairs.end());
    }
};

double add(double a, double b) { return a + b; }
MOBULA_REMOTE(add);

namespace physics {
struct particle {
    double position[3];
    float mass;
    int charge;
};
particle moved(particle one, double by) noexcept {
    for (double &x : one.position) x += by;
    return one;
}
MOBULA_REMOTE(moved);
namespace {
long step(long x) { return x + 1; }
} // namespace
MOBULA_REMOTE(step);
} // namespace physics
static long step(long x) { return x + 1000; }
MOBULA_REMOTE(step);
namespace outside {
int twice(const int &x) { return 2 * x; }
} // namespace outside
MOBULA_REMOTE(outside::twice);

template <class T> T norm(const std::vector<T> &values) {
    T sum = 0;
    for (T x : values) sum += x * x;
    return std::sqrt(sum);
}
MOBULA_REMOTE_AS("norm_f64", norm<double>);
MOBULA_REMOTE_AS("norm_f32", norm<float>);

// Types.
enum class color : std::uint16_t { red, green = 700 };
color next(color one) { return one == color::red ? color::green : color::red; }
bool negated(bool x) { return !x; }
std::complex<double> turned(std::complex<double> z) { return z * std::complex<double>(0, 1); }
std::string joined(const std::string &a, std::string &&b) { return a + b; }
std::vector<double> scaled(mobula::array<double> values, double by) {
    std::vector<double> result(values.begin(), values.end());
    for (double &x : result) x *= by;
    return result;
}
double sum(const mobula::array<double> &values) {
    double total = 0;
    for (double x : values) total += x;
    return total;
}
std::array<float, 3> reversed(std::array<float, 3> v) { return { v[2], v[1], v[0] }; }
std::vector<std::string> sorted(std::map<std::string, int>);
std::pair<std::string, int> counted(const std::vector<std::string> &words, std::optional<int> more) {
    return { words.empty() ? "none" : words.back(), static_cast<int>(words.size()) + more.value_or(0) };
}
std::tuple<std::vector<bool>, std::optional<std::string>, long> mixed(std::tuple<bool, std::string, long> parts) {
    return { { std::get<0>(parts), true, false }, std::get<1>(parts), std::get<2>(parts) };
}
std::vector<std::array<std::string, 2>> paired(std::vector<std::array<double, 2>> numbers) {
    std::vector<std::array<std::string, 2>> texts;
    for (auto [a, b] : numbers) texts.push_back({ std::to_string(a), std::to_string(b) });
    return texts;
}
std::vector<physics::particle> heavier(std::vector<physics::particle> all) {
    for (physics::particle &one : all) one.mass *= 2;
    return all;
}
mobula::buffer<std::int32_t> counted_up(std::int32_t n) {
    mobula::buffer<std::int32_t> numbers(static_cast<std::size_t>(n));
    std::int32_t i = 0;
    for (std::int32_t &one : numbers) one = i++;
    return numbers;
}
void nothing() {}
MOBULA_REMOTE(next);
MOBULA_REMOTE(negated);
MOBULA_REMOTE(turned);
MOBULA_REMOTE(joined);
MOBULA_REMOTE(scaled);
MOBULA_REMOTE(sum);
MOBULA_REMOTE(reversed);
MOBULA_REMOTE(sorted);
MOBULA_REMOTE(counted);
MOBULA_REMOTE(mixed);
MOBULA_REMOTE(paired);
MOBULA_REMOTE(heavier);
MOBULA_REMOTE(counted_up);
MOBULA_REMOTE(nothing);

std::vector<std::string> sorted(std::map<std::string, int> counts) {
    std::vector<std::string> names;
    for (const auto &one : counts) names.push_back(one.first + std::to_string(one.second));
    return names;
}

// References as they are, alone and within values.
double sum_of(std::vector<mobula::ref<double>> parts, mobula::ref<double> last) {
    double total = last.get();
    for (const auto &one : parts) total += one.get();
    return total;
}
mobula::ref<double> add_later(double a, double b) { return mobula::submit(add, a, b); }
std::uint32_t on_rank() { return mobula::rank(); }
MOBULA_REMOTE(sum_of);
MOBULA_REMOTE(add_later);
MOBULA_REMOTE(on_rank);

// Failures.
struct no_exception {};
int failing(int how) {
    switch (how) {
    case 0: throw std::runtime_error("the bridge is out");
    case 1: throw no_exception{};
    case 2: throw std::runtime_error("caf\xe9");
    case 3: return mobula::submit(failing, 0).get();
    case 4: throw mobula::timeout("a time-out of my own");
    default: return how;
    }
}
MOBULA_REMOTE(failing);
double get_from(mobula::ref<double> later) { return later.get(); }
MOBULA_REMOTE(get_from);
struct holder {
    void ready() {}
};
MOBULA_ACTOR(holder, (), &holder::ready);

// Waits within a catch block, and during the unwinding of another exception, while others do the same.
struct waits_at_its_end {
    ~waits_at_its_end() { CHECK(mobula::submit(add, 1.0, 1.0).get() == 2.0); }
};
std::string caught(int depth) {
    std::string text;
    try {
        waits_at_its_end waits;
        throw std::runtime_error("thrown at " + std::to_string(depth));
    } catch (const std::exception &thrown) {
        if (depth > 0) {
            auto inner = mobula::submit(caught, depth - 1), other = mobula::submit(caught, depth - 1);
            text = inner.get();
            CHECK(other.get() == text);
        }
        try {
            throw;
        } catch (const std::exception &again) {
            CHECK(&again == &thrown);
        }
        CHECK(std::uncaught_exceptions() == 0);
        text += thrown.what();
    }
    CHECK(std::current_exception() == nullptr);
    return text + ";";
}
MOBULA_REMOTE(caught);

int not_registered(int x) { return x; }

static mobula_status c_halves(mobula_call *call, void *) {
    mobula_view x;
    if (mobula_status s = mobula_arg(call, 0, MOBULA_F64, &x)) return s;
    double half = static_cast<const double *>(x.data)[0] / 2;
    return mobula_return(call, 0, &half, 1, MOBULA_F64);
}
MOBULA_TASK(c_halves)

static void values_of_all_types(const mobula::with_options &there) {
    using physics::particle;
    CHECK(there.submit(add, 1, 2.5f).get() == 3.5);
    CHECK(there.submit(next, color::red).get() == color::green);
    CHECK(there.submit(negated, true).get() == false);
    CHECK(there.submit(turned, std::complex<double>(1, 2)).get() == std::complex<double>(-2, 1));
    CHECK(there.submit(joined, "ab", std::string(100, 'c')).get() == "ab" + std::string(100, 'c'));
    CHECK(there.submit(joined, mobula::put("x"), mobula::put(std::string())).get() == "x");
    CHECK(there.submit(norm<double>, std::vector<double>{ 3, 4 }).get() == 5.0);
    CHECK(there.submit(norm<float>, std::vector<float>{}).get() == 0.0f);
    const std::array<float, 3> backwards{ 3, 2, 1 };
    CHECK(there.submit(reversed, std::array<float, 3>{ 1, 2, 3 }).get() == backwards);
    const auto pair = there.submit(counted, std::vector<std::string>{ "a", "bc" }, std::optional<int>(5)).get();
    CHECK(pair.first == "bc" && pair.second == 7);
    CHECK(there.submit(counted, std::vector<std::string>{}, std::nullopt).get().first == "none");
    const auto [flags, text, number] = there.submit(mixed, std::make_tuple(false, "text", 1L << 40)).get();
    CHECK((flags == std::vector<bool>{ false, true, false }) && text == "text" && number == 1L << 40);
    CHECK(there.submit(paired, std::vector<std::array<double, 2>>{ { 1, 2 } }).get()[0][1] == std::to_string(2.0));
    CHECK(there.submit(sorted, std::map<std::string, int>{ { "b", 1 }, { "a", 2 } }).get()[0] == "a2");

    const particle one{ { 1, 2, 3 }, 4, -1 };
    const particle moved = there.submit(physics::moved, one, 0.5).get();
    CHECK(moved.position[2] == 3.5 && moved.mass == 4 && moved.charge == -1);
    const auto heavy = there.submit(heavier, std::vector<particle>(100, one)).get();
    CHECK(heavy.size() == 100 && heavy[99].mass == 8);
    const mobula::array<particle> in_place = mobula::put(std::vector<particle>(100, one)).get();
    CHECK(in_place.size() == 100 && in_place.at(7).position[1] == 2);

    CHECK(there.submit(physics::step, 1).get() == 2 && there.submit(step, 1).get() == 1001);
    CHECK(there.submit(outside::twice, 4).get() == 8);
    there.submit(nothing).get();
    CHECK(there.submit(mobula::function<double(double)>("c_halves"), 5.0).get() == 2.5);
    const mobula::function<particle(particle, double)> by_name("physics::moved");
    CHECK(there.submit(by_name, one, 1).get().position[0] == 2 && by_name.name() == "physics::moved");
}

static void arrays(const mobula::with_options &there) {
    mobula::ref<mobula::array<double>> a = mobula::put(std::vector<double>(1000, 1.0));
    mobula::array<double> view = a.get(), copy = view;
    CHECK(view.size() == 1000 && view.data() == copy.data() && view[999] == 1.0 && view.to_vector().size() == 1000);
    a = {};
    CHECK(!a && view.back() == 1.0);
    auto doubled = there.submit(scaled, view, 2);
    CHECK(there.submit(sum, doubled).get() == 2000.0);
    mobula::ref<mobula::array<double>> same = doubled;
    CHECK(same.get()[0] == 2.0 && there.submit(sum, std::vector<double>{ 1, 2 }).get() == 3.0);
    mobula::buffer<double> written(500);
    for (double &x : written) x = 3;
    const auto sealed = written.seal();
    CHECK(written.size() == 0 && there.submit(sum, sealed).get() == 1500.0);
    THROWS(mobula::invalid_argument, "sealed or discarded", written.seal());
    const auto numbers = there.submit(counted_up, 100000).get();
    CHECK(numbers.size() == 100000 && numbers.back() == 99999);
    const double three[] = { 1, 2, 3 };
    CHECK(mobula::put(three, 3).get().size() == 3);
    CHECK(mobula::put(std::vector<bool>{ true, false }).get()[0]);
    THROWS(std::out_of_range, "3 of 3", mobula::put(three, 3).get().at(3));
    CHECK(mobula::array<double>().empty());
}

static void references(const mobula::with_options &there) {
    mobula::ref<double> x = there.submit(add, 1.0, 2.0), y = there.submit(add, x, 10.0);
    CHECK(y.get() == 13.0 && y.ready());
    CHECK(there.submit(sum_of, std::vector<mobula::ref<double>>{ x, y, x }, y).get() == 32.0);
    mobula::ref<double> later = there.submit(add_later, 20.0, y);
    CHECK(later.get() == 33.0);
    auto [ready, pending] = mobula::wait(std::vector<mobula::ref<double>>{ x, y }, 2);
    CHECK(ready.size() == 2 && pending.empty() && ready[1].handle() != nullptr);
    THROWS(mobula::invalid_argument, "ref is NULL", mobula::ref<double>().get());
    THROWS(mobula::invalid_argument, "cannot be a part", mobula::put(std::vector<mobula::ref<double>>{ x }));
}

// The same object, read as one of another type.
template <class Read, class T> static auto read_as(const mobula::ref<T> &object) {
    mobula_ref *handle = nullptr;
    CHECK(mobula_ref_clone(object.handle(), &handle) == MOBULA_OK);
    return mobula::ref<Read>::adopt(handle).get();
}

static void other_types() {
    using texts = std::vector<std::string>;
    const auto one = mobula::put(1.0);
    THROWS(mobula::type_error, "1 elements of MOBULA_F64 were read as values that have 1 of MOBULA_F32",
           read_as<float>(one));
    THROWS(mobula::type_error, "read as values that have 32 of MOBULA_BYTES",
           read_as<std::vector<physics::particle>>(mobula::put("text")));
    THROWS(mobula::type_error, "one value was read where there are 2", read_as<int>(mobula::put(std::vector<int>(2))));
    THROWS(mobula::type_error, "the bytes are not those of the type", read_as<texts>(mobula::put("0123456789")));
    THROWS(mobula::type_error, "3 bytes shorter than its object", read_as<texts>(mobula::put(std::string(11, '\0'))));
    CHECK(read_as<std::vector<double>>(one).size() == 1 && (read_as<std::array<double, 1>>(one)[0] == 1.0));
    CHECK(mobula::put(1.5L).get() == 1.5L && mobula::put('x').get() == 'x');
    CHECK(mobula::put(std::byte{ 7 }).get() == std::byte{ 7 });
    CHECK(read_as<std::vector<std::complex<float>>>(mobula::put(std::complex<float>(1, 2)))[0].imag() == 2);
}

static void failures(const mobula::with_options &there) {
    THROWS(mobula::task_error, "the bridge is out", there.submit(failing, 0).get());
    THROWS(mobula::task_error, "no std::exception", there.submit(failing, 1).get());
    THROWS(mobula::task_error, "caf?", there.submit(failing, 2).get());
    THROWS(mobula::task_error, "the bridge is out", there.submit(failing, 3).get());
    THROWS(mobula::task_error, "a time-out of my own", there.submit(failing, 4).get());
    THROWS(mobula::task_error, "the bridge is out", there.submit(outside::twice, there.submit(failing, 0)).get());
    THROWS(mobula::unknown_function, "MOBULA_REMOTE", there.submit(not_registered, 1));
    THROWS(mobula::unknown_function, "missing", there.submit(mobula::function<void()>("missing")));
    const mobula::function<double(float)> other_type("c_halves");
    THROWS(mobula::type_error, "argument 0: it wants MOBULA_F64, and got MOBULA_F32",
           there.submit(other_type, 1).get());
    const mobula::function<double(double)> too_few("add");
    THROWS(mobula::type_error, "it wants an argument 1", there.submit(too_few, 1).get());
    const mobula::function<double(double, double, double)> too_many("add");
    THROWS(mobula::error, "it takes 2 arguments, and got 3", there.submit(too_many, 1, 2, 3).get());
    const mobula::function<double(std::vector<double>, double)> too_long("add");
    THROWS(mobula::error, "argument 0: mobula: one value was read where there are 2",
           there.submit(too_long, std::vector<double>{ 1, 2 }, 1).get());
}

// A task that waits for one that cannot run while an actor holds its resource.
static void cancelled() {
    const auto custom = mobula::with(mobula::options{}.resource("Custom", 1.0).on_rank(0));
    const auto holds = custom.actor<holder>();
    holds.call(&holder::ready).get();
    const auto never = custom.submit(add, 1, 1), waits = mobula::submit(get_from, never);
    THROWS(mobula::timeout, "", waits.get(0.0));
    const auto [ready, pending] = mobula::wait(std::vector<mobula::ref<double>>{ never, waits }, 1, 0.0);
    CHECK(ready.empty() && pending.size() == 2 && !never.ready());
    waits.cancel();
    THROWS(mobula::cancelled, "get_from", waits.get());
    never.cancel();
    THROWS(mobula::cancelled, "add", never.get());
}

int main() {
    mobula::cluster cluster(mobula::config{}.resource("Custom", 1.5).workers(2));
    CHECK(mobula::rank() == 0 && mobula::is_initialized() && mobula::resource_total("Custom") == 1.5);
    for (std::uint32_t rank = 0; rank < mobula::size(); ++rank) {
        const auto there = mobula::with(mobula::options{}.on_rank(rank).name("there").max_retries(0));
        CHECK(there.submit(on_rank).get() == rank);
        values_of_all_types(there);
        arrays(there);
        references(there);
        failures(there);
        CHECK(there.submit(caught, 3).get() == "thrown at 0;thrown at 1;thrown at 2;thrown at 3;");
    }
    CHECK(mobula::submit(caught, 4).get().size() == 60);
    other_types();
    cancelled();
    const auto near = mobula::submit(add, 1, 1);
    const auto half = mobula::options{}.near(near).num_cpus(1).resource("Custom", 0.5);
    CHECK(mobula::with(half).submit(add, near, 1).get() == 3);
    const auto too_much = mobula::options{}.resource("Custom", 9);
    THROWS(mobula::unschedulable, "Custom", mobula::with(too_much).submit(nothing).get());
    {
        mobula::cluster shared(mobula::config{}.ignore_reinit());
        CHECK(mobula::submit(add, 1, 1).get() == 2);
    }
    THROWS(mobula::config_error, "a cluster runs in this process already", mobula::cluster());
    std::printf("ok: C++ tasks\n");
}
