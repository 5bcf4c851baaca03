// An actor that is saved, whose rank is killed: it goes on elsewhere where its last delivered result was.
#include "check.hpp"
#include <csignal>
#include <unistd.h>

class total {
  public:
    explicit total(double value) { parts_.push_back(value); }
    total(const total &) = delete;
    double add(double more) {
        parts_.push_back(more);
        double sum = 0;
        for (double part : parts_) sum += part;
        return sum;
    }
    long process() const { return getpid(); }
    std::vector<double> save() const { return parts_; }
    static total restore(std::vector<double> parts) noexcept { return total(std::move(parts)); }

  private:
    explicit total(std::vector<double> parts) : parts_(std::move(parts)) {}
    std::vector<double> parts_;
};
MOBULA_ACTOR_SAVED(total, (double), &total::save, &total::restore, &total::add, &total::process);

double where() { return mobula::rank(); }
MOBULA_REMOTE(where);

int main() {
    mobula::cluster cluster;
    const auto options = mobula::options{}.max_restarts(1).max_task_retries(mobula::unbounded).on_rank(1);
    const auto sum = mobula::with(options).actor<total>(10);
    CHECK(sum.call(&total::add, 5).get() == 15 && sum.call(&total::add, 7).get() == 22);
    const long process = sum.call(&total::process).get();
    CHECK(process != getpid() && kill(static_cast<pid_t>(process), SIGKILL) == 0);
    CHECK(sum.call(&total::add, 8).get() == 30 && sum.call(&total::process).get() == getpid());
    sum.kill();
    const auto dead = mobula::with(mobula::options{}.on_rank(1));
    THROWS(mobula::node_died, "rank 1", dead.submit(where).get());
    CHECK(mobula::submit(where).get() == 0);
    std::printf("ok: C++ restarts\n");
}
