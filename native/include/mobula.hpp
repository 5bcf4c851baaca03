/*
 * mobula: tasks, actors and shared immutable arrays inside MPI and Slurm jobs. The C++ interface.
 *
 * C++17, header only, over mobula.h: link with -lmobula. The guide is docs/guide/cpp.md. Including it takes a compiler
 * 0.25 s (g++ 12 -O1), of which the standard headers that it includes take 0.15 s.
 *
 * Conventions
 * - A failure is an exception: one class for each status of mobula.h, all derived from mobula::error.
 * - ref, array and actor are handles: copying one copies no data. They may outlive the cluster.
 * - Time-outs are in seconds; a negative one means for ever.
 * - Every function may be called from any thread, at the same time; one object is used by one thread at a time.
 * - Names in mobula::detail, and macros with MOBULA_DETAIL in their name, are no part of the interface.
 *
 * How values are objects
 * - A number is an array of one; std::string an array of bytes; std::vector<T>, std::array<T, N>, mobula::array<T> and
 *   mobula::buffer<T> of numbers are arrays of those: C, Fortran and other languages read them as such.
 * - A trivially copyable struct is its bytes. It holds no pointers: they mean nothing on another rank.
 * - Everything else is bytes that its mobula::codec wrote.
 */
#ifndef MOBULA_HPP
#define MOBULA_HPP

#if __cplusplus < 201703L
#error "mobula.hpp needs C++17: compile with -std=c++17 or later"
#endif

#include <mobula.h>

#include <array>
#include <atomic>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cxxabi.h>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

/* Declared here so that MOBULA_ACTOR is found also where it stands in the global namespace. */
struct mobula_global_namespace {};

namespace mobula {

/* ---- Errors ------------------------------------------------------------------------------------------------------ */

/* What every call throws if it fails. what() is the whole message: function, what happened, where, what to do. */
class error : public std::runtime_error {
  public:
    error(mobula_status status, const std::string &message) : std::runtime_error(message), status_(status) {}
    /* The status of mobula.h. */
    mobula_status status() const noexcept { return status_; }

  private:
    mobula_status status_;
};

#define MOBULA_DETAIL_ERROR(name, status)                                                                              \
    class name : public error {                                                                                        \
      public:                                                                                                          \
        explicit name(const std::string &message) : error(status, message) {}                                          \
    };
MOBULA_DETAIL_ERROR(config_error, MOBULA_ERR_CONFIG)         /* a wrong setting, or a call where it cannot be made */
MOBULA_DETAIL_ERROR(fabric_error, MOBULA_ERR_FABRIC)         /* ranks could not be connected, or a transport failed */
MOBULA_DETAIL_ERROR(task_error, MOBULA_ERR_TASK)             /* the task failed */
MOBULA_DETAIL_ERROR(timeout, MOBULA_ERR_TIMEOUT)             /* not ready in the time given */
MOBULA_DETAIL_ERROR(cancelled, MOBULA_ERR_CANCELLED)         /* the task was cancelled */
MOBULA_DETAIL_ERROR(actor_died, MOBULA_ERR_ACTOR_DIED)       /* the actor is not alive, or no actor has the name */
MOBULA_DETAIL_ERROR(node_died, MOBULA_ERR_NODE_DIED)         /* a rank has died */
MOBULA_DETAIL_ERROR(object_lost, MOBULA_ERR_OBJECT_LOST)     /* the object's bytes are not available any more */
MOBULA_DETAIL_ERROR(store_full, MOBULA_ERR_STORE_FULL)       /* too little space in the store */
MOBULA_DETAIL_ERROR(unschedulable, MOBULA_ERR_UNSCHEDULABLE) /* no host can ever meet the request */
MOBULA_DETAIL_ERROR(invalid_argument, MOBULA_ERR_INVALID_ARGUMENT) /* a value that the parameter cannot have */
MOBULA_DETAIL_ERROR(unknown_function, MOBULA_ERR_UNKNOWN_FUNCTION) /* nothing is registered under the name */
MOBULA_DETAIL_ERROR(type_error, MOBULA_ERR_TYPE)     /* another type, or number, of arguments or results */
MOBULA_DETAIL_ERROR(internal_error, MOBULA_ERR_INTERNAL) /* a bug of the library */
#undef MOBULA_DETAIL_ERROR

template <class T> class array;
template <class T> class buffer;
template <class T> class ref;
template <class T> class actor;
class writer;
class reader;

namespace detail {

[[noreturn]] inline void throw_status(mobula_status status, const std::string &message) {
    switch (status) {
    case MOBULA_ERR_CONFIG: throw config_error(message);
    case MOBULA_ERR_FABRIC: throw fabric_error(message);
    case MOBULA_ERR_TASK: throw task_error(message);
    case MOBULA_ERR_TIMEOUT: throw timeout(message);
    case MOBULA_ERR_CANCELLED: throw cancelled(message);
    case MOBULA_ERR_ACTOR_DIED: throw actor_died(message);
    case MOBULA_ERR_NODE_DIED: throw node_died(message);
    case MOBULA_ERR_OBJECT_LOST: throw object_lost(message);
    case MOBULA_ERR_STORE_FULL: throw store_full(message);
    case MOBULA_ERR_UNSCHEDULABLE: throw unschedulable(message);
    case MOBULA_ERR_INVALID_ARGUMENT: throw invalid_argument(message);
    case MOBULA_ERR_UNKNOWN_FUNCTION: throw unknown_function(message);
    case MOBULA_ERR_TYPE: throw type_error(message);
    case MOBULA_ERR_INTERNAL: throw internal_error(message);
    default: throw error(status, message);
    }
}

/* Sets this thread's exceptions in flight aside while it is in the library. A task that waits in a catch block lets
 * other tasks run on the thread, whose own exceptions would end up in the same list. */
class exceptions_set_aside {
  public:
    exceptions_set_aside() noexcept {
        std::memcpy(static_cast<void *>(&saved_), abi::__cxa_get_globals(), sizeof saved_);
        if (any()) put_back(state{ nullptr, 0 });
    }
    ~exceptions_set_aside() {
        if (any()) put_back(saved_);
    }
    exceptions_set_aside(const exceptions_set_aside &) = delete;
    exceptions_set_aside &operator=(const exceptions_set_aside &) = delete;

  private:
    /* The ABI's: its type is not declared anywhere. */
    struct state {
        void *caught;
        unsigned int uncaught;
    };
    bool any() const noexcept { return saved_.caught != nullptr || saved_.uncaught != 0; }
    static void put_back(const state &own) noexcept {
        void *thread = abi::__cxa_get_globals();
        std::memcpy(thread, &own.caught, sizeof own.caught);
        std::memcpy(static_cast<char *>(thread) + sizeof own.caught, &own.uncaught, sizeof own.uncaught);
    }
    state saved_;
};

/* Makes a call of mobula.h, and throws what it fails with. */
template <class Call> void checked(Call &&call) {
    mobula_status status;
    {
        exceptions_set_aside aside;
        status = call();
    }
    if (status != MOBULA_OK) throw_status(status, mobula_last_error());
}

inline const char *name_of(mobula_type type) {
    static constexpr const char *names[] = { "MOBULA_BYTES", "MOBULA_I8",  "MOBULA_U8",  "MOBULA_I16", "MOBULA_U16",
                                             "MOBULA_I32",   "MOBULA_U32", "MOBULA_I64", "MOBULA_U64", "MOBULA_F32",
                                             "MOBULA_F64",   "MOBULA_C64", "MOBULA_C128" };
    const auto number = static_cast<std::size_t>(type);
    return number < sizeof names / sizeof *names ? names[number] : "an unknown type";
}

/* A view that is released when it was read; one of an argument has nothing to release. */
class released_view {
  public:
    explicit released_view(const mobula_view &view) : view_(view) {}
    ~released_view() { mobula_release(&view_); }
    released_view(const released_view &) = delete;
    released_view &operator=(const released_view &) = delete;
    const mobula_view *operator->() const noexcept { return &view_; }

  private:
    mobula_view view_;
};

/* Elements that are read in place: of an object, of an argument of the running call, or of a copy. */
class block {
  public:
    explicit block(const mobula_view &view) : view_(view), count_(view.count) {}
    ~block() {
        mobula_release(&view_);
        if (copy_ != nullptr) ::operator delete(copy_, std::align_val_t{ alignment });
    }
    block(const block &) = delete;
    block &operator=(const block &) = delete;

    const void *data() const noexcept { return copy_ != nullptr ? copy_ : view_.data; }
    std::size_t count() const noexcept { return count_; }
    /* From now on the elements are those of another view of the same array, which it takes. */
    void replace(const mobula_view &view) {
        if (copy_ != nullptr) return;
        mobula_release(&view_);
        view_ = view;
    }
    /* From now on the elements are in memory of the process. */
    void copy(std::size_t bytes) {
        if (copy_ != nullptr) return;
        void *memory = ::operator new(bytes + 1, std::align_val_t{ alignment });
        if (bytes > 0) std::memcpy(memory, view_.data, bytes);
        copy_ = memory;
        mobula_release(&view_);
    }

  private:
    static constexpr std::size_t alignment = 64;
    mobula_view view_;
    std::size_t count_;
    void *copy_ = nullptr;
};

/* A call that runs: what its arguments are read from. */
class frame {
  public:
    explicit frame(mobula_call *call) : call_(call) {}
    /* Arrays that outlive the call keep their elements: where they are, or as a copy of few. */
    ~frame() {
        for (const borrowed &one : borrowed_) {
            if (one.elements.use_count() <= 1) continue;
            mobula_view view{};
            if (mobula_arg_keep(call_, one.index, &view) == MOBULA_OK && view.data == one.elements->data()) {
                one.elements->replace(view);
            } else {
                mobula_release(&view);
                one.elements->copy(one.bytes);
            }
        }
    }
    frame(const frame &) = delete;
    frame &operator=(const frame &) = delete;

    mobula_call *call() const noexcept { return call_; }
    /* What is borrowed from now on is of that argument. */
    void reads(std::size_t index) noexcept { index_ = index; }
    void borrow(std::shared_ptr<block> elements, std::size_t bytes) {
        borrowed_.push_back(borrowed{ std::move(elements), index_, bytes });
    }
    void used_handle() noexcept { ++handles_; }
    void check_count(std::size_t parameters) const {
        std::size_t count = 0;
        checked([&] { return mobula_arg_count(call_, &count); });
        if (count != parameters + handles_) {
            throw type_error("it takes " + std::to_string(parameters) + " arguments, and got " + std::to_string(count));
        }
    }

  private:
    struct borrowed {
        std::shared_ptr<block> elements;
        std::size_t index, bytes;
    };
    mobula_call *call_;
    std::size_t index_ = 0;
    std::vector<borrowed> borrowed_;
    std::size_t handles_ = 0;
};

/* The references and actors within the arguments of a call: they follow its arguments. */
struct handles {
    std::size_t arguments;
    std::vector<mobula_arg_value> values;
};

} // namespace detail

/* ---- Codecs: how values of other types travel -------------------------------------------------------------------- */

/* Writes the bytes of values. A codec gets one. */
class writer {
  public:
    /* Appends a value of any type that can be an argument. */
    template <class T> void write(const T &value);
    /* Appends `size` bytes. */
    void write_bytes(const void *data, std::size_t size) {
        if (size > 0) bytes_.append(static_cast<const char *>(data), size);
    }

    /* Internal. */
    writer(std::string &bytes, detail::handles *handles) : bytes_(bytes), handles_(handles) {}
    void write_handle(const void *handle, std::uint32_t kind) {
        if (handles_ == nullptr) {
            throw invalid_argument("mobula: a ref or an actor cannot be a part of an object that is put, or of a "
                                   "result: pass it as an argument");
        }
        write(static_cast<std::uint64_t>(handles_->arguments + handles_->values.size()));
        handles_->values.push_back(mobula_make_arg(nullptr, 0, MOBULA_BYTES, kind, handle));
    }

  private:
    std::string &bytes_;
    detail::handles *handles_;
};

/* Reads what a writer wrote, in the same order. A codec gets one. */
class reader {
  public:
    /* The next value. Throws mobula::type_error if there are not as many bytes. */
    template <class T> T read();
    /* The next `size` bytes, where they lie: without alignment, and valid until the codec returns. */
    const void *read_bytes(std::size_t size) {
        if (size > size_) throw_short(size);
        const unsigned char *data = data_;
        data_ += size;
        size_ -= size;
        return data;
    }
    /* How many bytes are left. */
    std::size_t left() const noexcept { return size_; }

    /* Internal. */
    reader(const void *data, std::size_t size, detail::frame *frame)
        : data_(static_cast<const unsigned char *>(data)), size_(size), frame_(frame) {}
    /* A number of values that have at least `bytes` bytes each. */
    std::size_t read_count(std::size_t bytes);
    template <class Handle> Handle *read_handle(mobula_status (*arg)(mobula_call *, std::size_t, Handle **)) {
        const auto index = read<std::uint64_t>();
        if (frame_ == nullptr) throw type_error("mobula: a ref or an actor was read that is no argument of a task");
        Handle *handle = nullptr;
        detail::checked([&] { return arg(frame_->call(), static_cast<std::size_t>(index), &handle); });
        frame_->used_handle();
        return handle;
    }

  private:
    [[noreturn]] void throw_short(std::size_t size) const {
        throw type_error("mobula: the bytes are not those of the type that is read: " + std::to_string(size) +
                         " are wanted, and " + std::to_string(size_) + " are left");
    }
    const unsigned char *data_;
    std::size_t size_;
    detail::frame *frame_;
};

namespace detail {

template <class...> constexpr bool never = false;

template <template <class...> class Template, class T> constexpr bool is_a = false;
template <template <class...> class Template, class... T> constexpr bool is_a<Template, Template<T...>> = true;

/* A class that looks as std::complex<float> or <double> does. */
template <class T, class = void> struct complex_part {
    using type = void;
};
template <class T>
struct complex_part<T, std::void_t<typename T::value_type, decltype(std::declval<const T &>().real()),
                                   decltype(std::declval<const T &>().imag())>> {
    using part = typename T::value_type;
    static constexpr bool is_complex =
        (std::is_same_v<part, float> || std::is_same_v<part, double>)&&sizeof(T) == 2 * sizeof(part);
    using type = std::conditional_t<is_complex, part, void>;
};

/* The element type of a number; MOBULA_BYTES for everything else. */
template <class T> constexpr mobula_type element_of() {
    if constexpr (std::is_same_v<T, std::byte>) {
        return MOBULA_BYTES;
    } else if constexpr (std::is_enum_v<T>) {
        return element_of<std::underlying_type_t<T>>();
    } else if constexpr (std::is_integral_v<T>) {
        constexpr bool is_signed = std::is_signed_v<T>;
        switch (sizeof(T)) {
        case 1: return is_signed ? MOBULA_I8 : MOBULA_U8;
        case 2: return is_signed ? MOBULA_I16 : MOBULA_U16;
        case 4: return is_signed ? MOBULA_I32 : MOBULA_U32;
        case 8: return is_signed ? MOBULA_I64 : MOBULA_U64;
        default: return MOBULA_BYTES;
        }
    } else if constexpr (std::is_same_v<T, float>) {
        return MOBULA_F32;
    } else if constexpr (std::is_same_v<T, double>) {
        return MOBULA_F64;
    } else if constexpr (std::is_same_v<typename complex_part<T>::type, float>) {
        return MOBULA_C64;
    } else if constexpr (std::is_same_v<typename complex_part<T>::type, double>) {
        return MOBULA_C128;
    } else {
        return MOBULA_BYTES;
    }
}

/* Values that are passed as the bytes they have in memory. */
template <class T> constexpr bool is_plain() {
    if constexpr (!std::is_object_v<T> || std::is_array_v<T> || std::is_const_v<T> || std::is_volatile_v<T>) {
        return false;
    } else if constexpr (std::is_pointer_v<T> || std::is_member_pointer_v<T> || std::is_null_pointer_v<T>) {
        return false;
    } else if constexpr (is_a<std::optional, T> || is_a<std::pair, T> || is_a<std::tuple, T> ||
                         is_a<std::basic_string_view, T> || is_a<std::reference_wrapper, T>) {
        return false;
    } else {
        return std::is_trivially_copyable_v<T>;
    }
}

/* A value at an address that need not be aligned. */
template <class T> T load(const void *from) {
    if constexpr (std::is_same_v<T, bool>) {
        return *static_cast<const unsigned char *>(from) != 0;
    } else {
        alignas(T) unsigned char bytes[sizeof(T)];
        std::memcpy(bytes, from, sizeof(T));
        return *std::launder(reinterpret_cast<T *>(bytes));
    }
}

/* The codec of values that lie in objects as in memory: each is `elements` elements of the type `element`. */
template <class T, mobula_type Element, std::size_t Elements> struct plain_codec {
    static constexpr bool in_place = true;
    static constexpr mobula_type element = Element;
    static constexpr std::size_t elements = Elements;
    static void write(writer &out, const T &value) { out.write_bytes(&value, sizeof(T)); }
    static T read(reader &in) { return load<T>(in.read_bytes(sizeof(T))); }
};

template <class T> constexpr std::size_t elements_of() {
    if constexpr (element_of<T>() == MOBULA_BYTES) {
        return sizeof(T);
    } else {
        return 1;
    }
}

template <class T> auto plain_codec_of() {
    return plain_codec<T, element_of<T>(), elements_of<T>()>{};
}

struct no_codec {
    static constexpr bool exists = false;
};

template <class T> auto default_codec_of() {
    if constexpr (is_plain<T>()) {
        return plain_codec_of<T>();
    } else {
        return no_codec{};
    }
}

} // namespace detail

/* How values of T become bytes, and bytes values. Specialise it for a type of your own, on every rank alike:
 *
 *     template <> struct mobula::codec<shape> {
 *         static void write(mobula::writer &out, const shape &value) {
 *             out.write(value.name);
 *             out.write(value.corners);
 *         }
 *         static shape read(mobula::reader &in) {
 *             auto name = in.read<std::string>();
 *             return shape(name, in.read<std::vector<point>>());
 *         }
 *     };
 */
template <class T> struct codec : decltype(detail::default_codec_of<T>()) {};

namespace detail {

template <class Codec, class = void> constexpr bool codec_exists = true;
template <class Codec> constexpr bool codec_exists<Codec, std::void_t<decltype(Codec::exists)>> = Codec::exists;

template <class Codec, class = void> constexpr bool codec_in_place = false;
template <class Codec> constexpr bool codec_in_place<Codec, std::void_t<decltype(Codec::in_place)>> = true;

/* If T can be an argument. */
template <class T> constexpr bool supported = codec_exists<codec<T>>;
/* If values of T lie in objects as in memory. */
template <class T> constexpr bool in_place = codec_in_place<codec<T>>;
/* If a std::vector of T is one array of elements. */
template <class T> constexpr bool in_place_vector = in_place<T> && !std::is_same_v<T, bool>;

template <class T> struct array_codec {
    static constexpr bool exists = supported<typename T::value_type>;
    static void write(writer &out, const T &value) {
        for (const auto &one : value) out.write(one);
    }
    static T read(reader &in) { return read_each(in, std::make_index_sequence<std::tuple_size_v<T>>{}); }

  private:
    template <std::size_t... Position>
    static T read_each([[maybe_unused]] reader &in, std::index_sequence<Position...>) {
        return T{ { (static_cast<void>(Position), in.template read<typename T::value_type>())... } };
    }
};

template <class T, std::size_t N> auto array_codec_of() {
    if constexpr (N == 0) {
        return array_codec<std::array<T, N>>{};
    } else if constexpr (in_place<T>) {
        return plain_codec<std::array<T, N>, codec<T>::element, N * codec<T>::elements>{};
    } else {
        return array_codec<std::array<T, N>>{};
    }
}

} // namespace detail

template <class T, std::size_t N> struct codec<std::array<T, N>> : decltype(detail::array_codec_of<T, N>()) {};

template <> struct codec<std::string> {
    static void write(writer &out, const std::string &value) {
        out.write(static_cast<std::uint64_t>(value.size()));
        out.write_bytes(value.data(), value.size());
    }
    static std::string read(reader &in) {
        const std::size_t size = in.read_count(1);
        return std::string(static_cast<const char *>(in.read_bytes(size)), size);
    }
};

template <class T, class Allocator> struct codec<std::vector<T, Allocator>> {
    static constexpr bool exists = detail::supported<T>;
    static void write(writer &out, const std::vector<T, Allocator> &value) {
        out.write(static_cast<std::uint64_t>(value.size()));
        if constexpr (detail::in_place_vector<T>) {
            out.write_bytes(value.data(), value.size() * sizeof(T));
        } else {
            for (const T &one : value) out.write(one);
        }
    }
    static std::vector<T, Allocator> read(reader &in) {
        std::size_t count = in.read_count(detail::in_place<T> ? sizeof(T) : 0);
        std::vector<T, Allocator> values;
        if constexpr (detail::in_place<T>) values.reserve(count);
        for (; count > 0; --count) values.push_back(in.read<T>());
        return values;
    }
};

template <class First, class Second> struct codec<std::pair<First, Second>> {
    static constexpr bool exists = detail::supported<First> && detail::supported<Second>;
    static void write(writer &out, const std::pair<First, Second> &value) {
        out.write(value.first);
        out.write(value.second);
    }
    static std::pair<First, Second> read(reader &in) {
        First first = in.read<First>();
        return std::pair<First, Second>(std::move(first), in.read<Second>());
    }
};

template <class... T> struct codec<std::tuple<T...>> {
    static constexpr bool exists = (detail::supported<T> && ...);
    static void write([[maybe_unused]] writer &out, const std::tuple<T...> &value) {
        std::apply([&](const T &...part) { (out.write(part), ...); }, value);
    }
    /* Braces: the parts are read in order. */
    static std::tuple<T...> read([[maybe_unused]] reader &in) { return std::tuple<T...>{ in.read<T>()... }; }
};

template <class T> struct codec<std::optional<T>> {
    static constexpr bool exists = detail::supported<T>;
    static void write(writer &out, const std::optional<T> &value) {
        out.write(value.has_value());
        if (value.has_value()) out.write(*value);
    }
    static std::optional<T> read(reader &in) {
        if (!in.read<bool>()) return std::nullopt;
        return std::optional<T>(in.read<T>());
    }
};

template <class T> void writer::write(const T &value) {
    static_assert(detail::supported<T>, "mobula: this type cannot be passed: specialise mobula::codec for it");
    codec<T>::write(*this, value);
}

template <class T> T reader::read() {
    static_assert(detail::supported<T>, "mobula: this type cannot be passed: specialise mobula::codec for it");
    return codec<T>::read(*this);
}

inline std::size_t reader::read_count(std::size_t bytes) {
    const auto count = read<std::uint64_t>();
    if (bytes > 0 && count > size_ / bytes) throw_short(SIZE_MAX);
    return static_cast<std::size_t>(count);
}

namespace detail {

/* Throws unless a view shows whole values of T, which lie there as in memory. Returns how many. */
template <class T> std::size_t count_of(const mobula_view &view) {
    constexpr std::size_t each = codec<T>::elements;
    if (view.type == codec<T>::element && view.count % each == 0) return view.count / each;
    throw type_error("mobula: " + std::to_string(view.count) + " elements of " + name_of(view.type) +
                     " were read as values that have " + std::to_string(each) + " of " + name_of(codec<T>::element) +
                     " each");
}

template <class T> bool is_aligned(const void *data) {
    return reinterpret_cast<std::uintptr_t>(data) % alignof(T) == 0;
}

} // namespace detail

/* ---- Objects ----------------------------------------------------------------------------------------------------- */

/* Immutable values that lie in the store: no copy. They stay while any copy of this handle exists, also those that a
 * task got as an argument and that outlive it; addresses of fewer than 33 bytes are not valid after its end. */
template <class T> class array {
  public:
    static_assert(detail::in_place<T>, "mobula: the values of an array are numbers or trivially copyable structs");
    using value_type = T;
    using const_iterator = const T *;
    using iterator = const T *;

    /* Of no values. */
    array() = default;
    const T *data() const noexcept { return elements_ ? static_cast<const T *>(elements_->data()) : nullptr; }
    std::size_t size() const noexcept { return elements_ ? elements_->count() / codec<T>::elements : 0; }
    bool empty() const noexcept { return size() == 0; }
    const T *begin() const noexcept { return data(); }
    const T *end() const noexcept { return data() + size(); }
    /* Without a check, as of std::vector. */
    const T &operator[](std::size_t index) const noexcept { return data()[index]; }
    const T &front() const noexcept { return data()[0]; }
    const T &back() const noexcept { return data()[size() - 1]; }
    /* Throws std::out_of_range. */
    const T &at(std::size_t index) const {
        if (index < size()) return data()[index];
        throw std::out_of_range("mobula::array::at: " + std::to_string(index) + " of " + std::to_string(size()));
    }
    /* A copy. */
    std::vector<T> to_vector() const { return std::vector<T>(begin(), end()); }

    /* Internal. Takes the view. */
    array(const mobula_view &view, detail::frame *call) : elements_(std::make_shared<detail::block>(view)) {
        const std::size_t bytes = detail::count_of<T>(view) * sizeof(T);
        if (!detail::is_aligned<T>(view.data)) {
            elements_->copy(bytes);
        } else if (call != nullptr) {
            call->borrow(elements_, bytes);
        }
    }
    array(const void *data, std::size_t size) {
        mobula_view view{ data, size * codec<T>::elements, codec<T>::element, nullptr };
        elements_ = std::make_shared<detail::block>(view);
        elements_->copy(size * sizeof(T));
    }

  private:
    std::shared_ptr<detail::block> elements_;
};

template <class T> struct codec<array<T>> {
    static void write(writer &out, const array<T> &value) {
        out.write(static_cast<std::uint64_t>(value.size()));
        out.write_bytes(value.data(), value.size() * sizeof(T));
    }
    static array<T> read(reader &in) {
        const std::size_t size = in.read_count(sizeof(T));
        return array<T>(in.read_bytes(size * sizeof(T)), size);
    }
};

namespace detail {

/* How values of T are objects or arguments of their own. Each form has
 *   identity   the same for types that are read as each other;
 *   element    the element type;
 *   pack       the value as an argument; `bytes` keeps what is not there already, as long as the result is used;
 *   unpack     the value in a view, which it takes; `call` is the call of an argument. */
template <class T> struct plain_form {
    using identity = T;
    static constexpr mobula_type element = codec<T>::element;
    static mobula_arg_value pack(const T &value, std::string &, handles *) {
        return mobula_make_arg(&value, codec<T>::elements, element, 0, nullptr);
    }
    static T unpack(const mobula_view &view, frame *) {
        const released_view kept(view);
        const std::size_t count = count_of<T>(view);
        if (count == 1) return load<T>(view.data);
        throw type_error("mobula: one value was read where there are " + std::to_string(count));
    }
};

template <class T> struct packed_form {
    using identity = T;
    static constexpr mobula_type element = MOBULA_BYTES;
    static mobula_arg_value pack(const T &value, std::string &bytes, handles *within) {
        writer out(bytes, within);
        out.write(value);
        return mobula_make_arg(bytes.data(), bytes.size(), element, 0, nullptr);
    }
    static T unpack(const mobula_view &view, frame *call) {
        const released_view kept(view);
        reader in(view.data, count_of<std::byte>(view), call);
        T value = in.read<T>();
        if (in.left() == 0) return value;
        throw type_error("mobula: a value was read that is " + std::to_string(in.left()) +
                         " bytes shorter than its object");
    }
};

struct string_form {
    using identity = std::string;
    static constexpr mobula_type element = MOBULA_BYTES;
    static mobula_arg_value pack(const std::string &value, std::string &, handles *) {
        return mobula_make_arg(value.data(), value.size(), element, 0, nullptr);
    }
    static std::string unpack(const mobula_view &view, frame *) {
        const released_view kept(view);
        return std::string(static_cast<const char *>(view.data), count_of<std::byte>(view));
    }
};

template <class T> struct sequence {};

template <class T> struct sequence_form {
    using identity = sequence<T>;
    static constexpr mobula_type element = codec<T>::element;
    template <class Values> static mobula_arg_value pack(const Values &values, std::string &, handles *) {
        return mobula_make_arg(values.data(), values.size() * codec<T>::elements, element, 0, nullptr);
    }
};

template <class T> struct array_form : sequence_form<T> {
    static array<T> unpack(const mobula_view &view, frame *call) { return array<T>(view, call); }
};

template <class T, class Allocator> struct vector_form : sequence_form<T> {
    static std::vector<T, Allocator> unpack(const mobula_view &view, frame *) {
        const released_view kept(view);
        const std::size_t count = count_of<T>(view);
        if (is_aligned<T>(view.data)) {
            const T *first = static_cast<const T *>(view.data);
            return std::vector<T, Allocator>(first, first + count);
        }
        std::vector<T, Allocator> values;
        values.reserve(count);
        const char *bytes = static_cast<const char *>(view.data);
        for (std::size_t i = 0; i < count; ++i) values.push_back(load<T>(bytes + i * sizeof(T)));
        return values;
    }
};

template <class T> auto form_of() {
    if constexpr (in_place<T>) {
        return plain_form<T>{};
    } else {
        return packed_form<T>{};
    }
}
template <class T> struct form : decltype(form_of<T>()) {};
template <> struct form<std::string> : string_form {};
template <class T> struct form<array<T>> : array_form<T> {};

template <class T, class Allocator> auto vector_form_of() {
    if constexpr (in_place_vector<T>) {
        return vector_form<T, Allocator>{};
    } else {
        return packed_form<std::vector<T, Allocator>>{};
    }
}
template <class T, class Allocator>
struct form<std::vector<T, Allocator>> : decltype(vector_form_of<T, Allocator>()) {};

/* If an object of values of A is one of values of B: std::vector<double> and mobula::array<double>. */
template <class A, class B, bool = supported<A> &&supported<B>> constexpr bool same_form = std::is_same_v<A, B>;
template <class A, class B>
constexpr bool same_form<A, B, true> = std::is_same_v<typename form<A>::identity, typename form<B>::identity>;

/* A handle of mobula.h, of which each copy is one more. */
template <class Handle, mobula_status (*Clone)(const Handle *, Handle **), void (*Free)(Handle *)> class owned_handle {
  public:
    owned_handle() = default;
    explicit owned_handle(Handle *handle) noexcept : handle_(handle) {}
    owned_handle(const owned_handle &other) { *this = other; }
    owned_handle(owned_handle &&other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    owned_handle &operator=(const owned_handle &other) {
        if (handle_ == other.handle_) return *this;
        Handle *copy = nullptr;
        if (other.handle_ != nullptr) checked([&] { return Clone(other.handle_, &copy); });
        Free(std::exchange(handle_, copy));
        return *this;
    }
    owned_handle &operator=(owned_handle &&other) noexcept {
        std::swap(handle_, other.handle_);
        return *this;
    }
    ~owned_handle() { Free(handle_); }
    Handle *get() const noexcept { return handle_; }

  private:
    Handle *handle_ = nullptr;
};
using ref_handle = owned_handle<mobula_ref, mobula_ref_clone, mobula_ref_free>;
using actor_handle = owned_handle<mobula_actor, mobula_actor_clone, mobula_actor_free>;

} // namespace detail

/* A reference to an object that may not exist yet: a value that was put, or that a task returns. Without one (after a
 * move, or made by ref<T>()), its functions throw mobula::invalid_argument. A ref<std::vector<T>> of numbers converts
 * to a ref<array<T>>, and back. */
template <class T> class ref {
  public:
    using value_type = T;

    /* To nothing. */
    ref() = default;
    template <class U, class = std::enable_if_t<!std::is_same_v<T, U> && detail::same_form<T, U>>>
    ref(const ref<U> &other) : handle_(other.owned()) {}

    /* Waits for the value. A mobula::array<T> is in place, others are copies. A task that waits lets others run.
     * timeout_s: seconds, 0 to look only, negative for ever. Throws what the task failed with; mobula::timeout. */
    T get(double timeout_s = -1.0) const {
        if constexpr (detail::is_a<actor, T>) {
            mobula_actor *handle = nullptr;
            detail::checked([&] { return mobula_get_actor(handle_.get(), timeout_s, &handle); });
            return T::adopt(handle);
        } else {
            mobula_view view;
            detail::checked([&] { return mobula_get(handle_.get(), timeout_s, &view); });
            if constexpr (std::is_void_v<T>) {
                mobula_release(&view);
            } else {
                return detail::form<T>::unpack(view, nullptr);
            }
        }
    }
    /* If get() would not wait. A failure is ready too. */
    bool ready() const {
        mobula_ref *one = handle_.get();
        bool is_ready = false;
        std::size_t count = 0;
        detail::checked([&] { return mobula_wait(&one, 1, 1, 0.0, &is_ready, &count); });
        return is_ready;
    }
    /* Cancels the task that returns the object: see mobula_cancel. */
    void cancel() const {
        detail::checked([&] { return mobula_cancel(handle_.get()); });
    }
    /* If it refers to anything. */
    explicit operator bool() const noexcept { return handle_.get() != nullptr; }

    /* The handle of mobula.h, which this object goes on to own. */
    mobula_ref *handle() const noexcept { return handle_.get(); }
    /* Takes a handle of mobula.h, to an object that is read as a T. */
    static ref adopt(mobula_ref *handle) noexcept { return ref(detail::ref_handle(handle)); }

    /* Internal. */
    explicit ref(detail::ref_handle handle) noexcept : handle_(std::move(handle)) {}
    const detail::ref_handle &owned() const noexcept { return handle_; }

  private:
    static_assert(std::is_void_v<T> || detail::supported<T>,
                  "mobula: a ref to this type cannot be: specialise mobula::codec for it");
    detail::ref_handle handle_;
};

template <class T> struct codec<ref<T>> {
    static void write(writer &out, const ref<T> &value) { out.write_handle(value.handle(), 2); }
    static ref<T> read(reader &in) { return ref<T>::adopt(in.read_handle<mobula_ref>(mobula_arg_ref)); }
};

/* Values of an array that is being written, in the store. seal() makes it an object; a task may also return it. */
template <class T> class buffer {
  public:
    static_assert(detail::in_place<T>, "mobula: the values of a buffer are numbers or trivially copyable structs");
    using value_type = T;

    /* Of `size` values, which are not set. Throws mobula::store_full. */
    explicit buffer(std::size_t size) : size_(size) {
        if (size > SIZE_MAX / sizeof(T)) throw invalid_argument("mobula::buffer: no memory has as many values");
        const std::size_t elements = size * codec<T>::elements;
        detail::checked([&] { return mobula_create(elements, codec<T>::element, &buffer_); });
        if (!detail::is_aligned<T>(buffer_.data)) {
            mobula_discard(&buffer_);
            throw invalid_argument("mobula::buffer: the store does not align values to " + std::to_string(alignof(T)));
        }
    }
    buffer(buffer &&other) noexcept
        : buffer_(std::exchange(other.buffer_, mobula_buffer{})), size_(std::exchange(other.size_, 0)) {}
    buffer &operator=(buffer &&other) noexcept {
        std::swap(buffer_, other.buffer_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~buffer() { mobula_discard(&buffer_); }

    T *data() noexcept { return static_cast<T *>(buffer_.data); }
    const T *data() const noexcept { return static_cast<const T *>(buffer_.data); }
    std::size_t size() const noexcept { return size_; }
    T *begin() noexcept { return data(); }
    T *end() noexcept { return data() + size_; }
    const T *begin() const noexcept { return data(); }
    const T *end() const noexcept { return data() + size_; }
    T &operator[](std::size_t index) noexcept { return data()[index]; }
    const T &operator[](std::size_t index) const noexcept { return data()[index]; }
    /* The object, without a copy; the buffer is empty from here. */
    ref<array<T>> seal() {
        mobula_ref *sealed = nullptr;
        detail::checked([&] { return mobula_seal(&buffer_, &sealed); });
        size_ = 0;
        return ref<array<T>>::adopt(sealed);
    }

  private:
    mobula_buffer buffer_{};
    std::size_t size_;
};

namespace detail {

template <class T> struct put_as {
    using type = T;
};
template <class T, class Allocator> struct put_as<std::vector<T, Allocator>> {
    using type = std::conditional_t<in_place_vector<T>, array<T>, std::vector<T, Allocator>>;
};

} // namespace detail

/* Makes a value an object: one copy. A std::vector of numbers becomes an array. Throws mobula::store_full. */
template <class T> ref<typename detail::put_as<T>::type> put(const T &value) {
    static_assert(detail::supported<T>, "mobula: this type cannot be put: specialise mobula::codec for it");
    std::string bytes;
    const mobula_arg_value packed = detail::form<T>::pack(value, bytes, nullptr);
    mobula_ref *out = nullptr;
    detail::checked([&] { return mobula_put(packed.data, packed.count, packed.type, &out); });
    return ref<typename detail::put_as<T>::type>::adopt(out);
}
/* A text. */
inline ref<std::string> put(const char *text) { return put(std::string(text)); }
/* `size` values that lie one after another. */
template <class T> ref<array<T>> put(const T *data, std::size_t size) {
    static_assert(detail::in_place<T>, "mobula: the values of an array are numbers or trivially copyable structs");
    mobula_ref *out = nullptr;
    detail::checked([&] { return mobula_put(data, size * codec<T>::elements, codec<T>::element, &out); });
    return ref<array<T>>::adopt(out);
}

/* Waits until `num_returns` (1 to as many as there are) of the references are ready, or timeout_s seconds have passed,
 * which is no error. Returns those that are ready and those that are not, each in the order given. A failure is ready
 * too. */
template <class T>
std::pair<std::vector<ref<T>>, std::vector<ref<T>>> wait(const std::vector<ref<T>> &refs, std::size_t num_returns,
                                                         double timeout_s = -1.0) {
    std::vector<mobula_ref *> handles;
    for (const ref<T> &one : refs) handles.push_back(one.handle());
    const std::unique_ptr<bool[]> is_ready(new bool[refs.size()]());
    std::size_t count = 0;
    detail::checked([&] {
        return mobula_wait(handles.data(), handles.size(), num_returns, timeout_s, is_ready.get(), &count);
    });
    std::pair<std::vector<ref<T>>, std::vector<ref<T>>> parts;
    for (std::size_t i = 0; i < refs.size(); ++i) (is_ready[i] ? parts.first : parts.second).push_back(refs[i]);
    return parts;
}

/* ---- Options ----------------------------------------------------------------------------------------------------- */

/* As a number of retries or restarts: as often as it takes. */
constexpr int unbounded = MOBULA_UNBOUNDED;

namespace detail {

/* Amounts of resources as mobula.h has them: "Custom=1,Licence=2". */
class resource_list {
  public:
    void add(const std::string &name, double amount) {
        char number[64];
        std::snprintf(number, sizeof number, "%.17g", amount);
        for (char *c = number; *c != 0; ++c) {
            if (*c == ',') *c = '.'; // of some locales
        }
        text_ += (text_.empty() ? "" : ",") + name + "=" + number;
    }
    const char *text() const noexcept { return text_.empty() ? nullptr : text_.c_str(); }

  private:
    std::string text_;
};

} // namespace detail

/* Options of a task or an actor: mobula::options{}.num_cpus(2).name("solver"). What is not set has its default. */
class options {
  public:
    /* CPUs that it requests; the default is 1 for a task, 0 for an actor. */
    options &num_cpus(double amount) { return values_.num_cpus = amount, *this; }
    /* GPUs; the default is none. */
    options &num_gpus(double amount) { return values_.num_gpus = amount, *this; }
    /* Another resource, which mobula::config or MOBULA_RESOURCES gives hosts. */
    options &resource(const std::string &name, double amount) { return resources_.add(name, amount), *this; }
    /* Bytes that its arrays may take in the store. */
    options &memory(std::uint64_t bytes) { return values_.memory = bytes, *this; }
    /* How often a task is started again when its rank dies; the default is 3. */
    options &max_retries(int times) { return values_.max_retries = times, *this; }
    /* How often an actor is created again when its rank dies; the default is 0. */
    options &max_restarts(int times) { return values_.max_restarts = times, *this; }
    /* How often an actor's call in progress at a death is made again; the default is 0. */
    options &max_task_retries(int times) { return values_.max_task_retries = times, *this; }
    /* A task is started again also when it fails by itself. */
    options &retry_on_error(bool retry = true) { return values_.retry_on_error = retry, *this; }
    /* A task's name for errors and timelines; the name by which mobula::find_actor finds an actor. */
    options &name(const std::string &text) { return name_ = text, *this; }
    /* Over the ranks in turn. */
    options &spread() { return values_.placement = MOBULA_PLACE_SPREAD, *this; }
    /* On that rank. */
    options &on_rank(std::uint32_t rank) {
        values_.placement = MOBULA_PLACE_RANK;
        values_.rank = rank;
        return *this;
    }
    /* On a rank of that host. */
    options &on_host(const std::string &host) {
        values_.placement = MOBULA_PLACE_HOST;
        host_ = host;
        return *this;
    }
    /* On the rank that owns the object. */
    template <class T> options &near(const ref<T> &object) {
        values_.placement = MOBULA_PLACE_NEAR;
        near_ = object.owned();
        return *this;
    }

    /* The struct of mobula.h: valid as long as this object, and until it is changed. */
    mobula_options values() const {
        mobula_options values = values_;
        values.resources = resources_.text();
        values.name = name_ ? name_->c_str() : nullptr;
        values.host = values_.placement == MOBULA_PLACE_HOST ? host_.c_str() : nullptr;
        values.near = near_.get();
        return values;
    }

  private:
    mobula_options values_ = MOBULA_OPTIONS_INIT;
    detail::resource_list resources_;
    std::optional<std::string> name_;
    std::string host_;
    detail::ref_handle near_;
};

/* ---- Calls ------------------------------------------------------------------------------------------------------- */

namespace detail {

template <class...> struct types {};

template <class T> using value_of = std::remove_cv_t<std::remove_reference_t<T>>;
template <class T> constexpr bool is_handle = is_a<ref, T> || is_a<actor, T>;

/* What a function that returns R has as its object. */
template <class R> struct result {
    using type = R;
};
template <class T> struct result<ref<T>> {
    using type = T;
};
template <class T> struct result<buffer<T>> {
    using type = array<T>;
};
template <class R> using result_of = typename result<value_of<R>>::type;

/* If an argument of type A can be passed to a parameter of type P. */
template <class P, class A> constexpr bool fits() {
    using D = value_of<P>;
    if constexpr (is_handle<D>) {
        return (is_handle<A> && std::is_convertible_v<const A &, D>) || (is_a<actor, D> && std::is_same_v<A, ref<D>>);
    } else if constexpr (is_a<ref, A>) {
        return same_form<typename A::value_type, D>;
    } else if constexpr (is_a<actor, A>) {
        return false;
    } else if constexpr (std::is_arithmetic_v<D> && !std::is_class_v<A>) {
        return std::is_convertible_v<const A &, D> && !std::is_pointer_v<std::decay_t<A>> &&
               !(std::is_floating_point_v<A> && std::is_integral_v<D>);
    } else {
        return same_form<A, D> || std::is_convertible_v<const A &, D>;
    }
}

#define MOBULA_DETAIL_AT(position, ordinal)                                                                            \
    static_assert(value || Position != position,                                                                       \
                  "mobula: the " ordinal " argument of the call does not fit the " ordinal                             \
                  " parameter of the function: see Parameter and Argument")
template <std::size_t Position, class Parameter, class Argument> struct check_argument {
    static constexpr bool value = fits<Parameter, Argument>();
    MOBULA_DETAIL_AT(0, "1st");
    MOBULA_DETAIL_AT(1, "2nd");
    MOBULA_DETAIL_AT(2, "3rd");
    MOBULA_DETAIL_AT(3, "4th");
    MOBULA_DETAIL_AT(4, "5th");
    MOBULA_DETAIL_AT(5, "6th");
    MOBULA_DETAIL_AT(6, "7th");
    MOBULA_DETAIL_AT(7, "8th");
    static_assert(value || Position < 8, "mobula: an argument of the call, after the 8th, does not fit its parameter "
                                         "of the function: see Position, Parameter and Argument");
};
#undef MOBULA_DETAIL_AT

template <class Parameters, class Arguments, class = void> struct check_arguments;
template <class... P, class... A, std::size_t... Position>
struct check_arguments<types<P...>, types<A...>, std::index_sequence<Position...>> {
    static constexpr bool value = (check_argument<Position, P, A>::value && ...);
};
template <class... P, class... A> struct check_arguments<types<P...>, types<A...>, void> {
    static_assert(sizeof...(P) == sizeof...(A),
                  "mobula: the call has another number of arguments than the function has parameters: see P and A");
    static constexpr bool check() {
        if constexpr (sizeof...(P) == sizeof...(A)) {
            return check_arguments<types<P...>, types<A...>, std::index_sequence_for<P...>>::value;
        } else {
            return false;
        }
    }
    static constexpr bool value = check();
};

template <class Parameters, class Arguments, class = void> constexpr bool all_fit = false;
template <class... P, class... A>
constexpr bool all_fit<types<P...>, types<A...>, std::enable_if_t<sizeof...(P) == sizeof...(A)>> =
    (fits<P, A>() && ...);

/* What a call returns whose arguments fit. */
template <class R, class Parameters, class... A>
using call_result = std::enable_if_t<all_fit<Parameters, types<A...>>, ref<result_of<R>>>;

/* The result of a deleted overload, for arguments that do not fit: the compiler says why not, and shows the call. */
template <class R, class Parameters, class Arguments, bool Fit = all_fit<Parameters, Arguments>> struct refused {};
template <class R, class Parameters, class Arguments> struct refused<R, Parameters, Arguments, false> {
    static_assert(!check_arguments<Parameters, Arguments>::value, "");
    using type = ref<result_of<R>>;
};
template <class R, class Parameters, class... A>
using refused_call = typename refused<R, Parameters, types<A...>>::type;

/* An argument of type A for a parameter that gets a D. */
template <class D, class A> class argument {
  public:
    explicit argument(const A &given) : given_(given) {}
    mobula_arg_value pack(handles &within) {
        if constexpr (is_a<ref, D>) {
            return mobula_make_arg(nullptr, 0, MOBULA_BYTES, 2, given_.handle());
        } else if constexpr (is_a<ref, A>) {
            return mobula_make_arg(nullptr, 0, MOBULA_BYTES, 1, given_.handle());
        } else if constexpr (is_a<actor, D>) {
            return mobula_make_arg(nullptr, 0, MOBULA_BYTES, 3, given_.handle());
        } else if constexpr (same_form<A, D>) {
            return form<A>::pack(given_, bytes_, &within);
        } else {
            converted_.emplace(static_cast<D>(given_));
            return form<D>::pack(*converted_, bytes_, &within);
        }
    }

  private:
    const A &given_;
    std::optional<D> converted_;
    std::string bytes_;
};

template <class Call, class... Argument> void call_with(Call &&call, Argument &&...arguments) {
    constexpr std::size_t count = sizeof...(Argument);
    handles within{ count, {} };
    const mobula_arg_value values[count + 1] = { arguments.pack(within)..., mobula_arg_value{} };
    if (within.values.empty()) {
        checked([&] { return call(values, count); });
    } else {
        within.values.insert(within.values.begin(), values, values + count);
        checked([&] { return call(within.values.data(), within.values.size()); });
    }
}

/* Makes a call of mobula.h with the arguments of a function whose parameters are P. */
template <class... P, class Call, class... A> void call_checked(types<P...>, Call &&call, const A &...args) {
    if constexpr (check_arguments<types<P...>, types<A...>>::value) {
        call_with(call, argument<value_of<P>, A>(args)...);
    }
}

/* A function that was registered. */
struct function_entry {
    void (*function)();
    const char *name;
    const function_entry *next;
};

/* The names of registered functions, by address. Entries are only added, and live as long as the process. */
class function_table {
  public:
    static void add(function_entry &entry) {
        auto &head = heads_[slot(entry.function)];
        entry.next = head.load(std::memory_order_relaxed);
        while (!head.compare_exchange_weak(entry.next, &entry, std::memory_order_release, std::memory_order_relaxed)) {
        }
    }
    /* NULL if it was not registered. */
    static const char *name_of(void (*function)()) {
        const function_entry *entry = heads_[slot(function)].load(std::memory_order_acquire);
        while (entry != nullptr && entry->function != function) entry = entry->next;
        return entry == nullptr ? nullptr : entry->name;
    }

  private:
    static constexpr std::size_t slots = 256;
    static std::size_t slot(void (*function)()) {
        return (reinterpret_cast<std::uintptr_t>(function) >> 4) * 0x9E3779B1u / 256 % slots;
    }
    static inline std::atomic<const function_entry *> heads_[slots] = {};
};

template <class R, class... P> const char *registered_name(R (*function)(P...)) {
    if (function == nullptr) throw invalid_argument("mobula::submit: the function is a null pointer");
    const char *name = function_table::name_of(reinterpret_cast<void (*)()>(function));
    if (name != nullptr) return name;
    throw unknown_function("mobula::submit: the function is not registered: add MOBULA_REMOTE(function) at file scope");
}

template <class R, class... P, class... A>
ref<result_of<R>> submit_named(const char *name, const mobula_options *options, types<P...> parameters,
                               const A &...args) {
    mobula_ref *out = nullptr;
    call_checked(
        parameters,
        [&](const mobula_arg_value *values, std::size_t count) {
            return mobula_submit(name, values, count, options, &out, 1);
        },
        args...);
    return ref<result_of<R>>::adopt(out);
}

template <class F>
constexpr bool is_no_function = !std::is_function_v<std::remove_pointer_t<std::decay_t<F>>>;

} // namespace detail

/* A function that another language registered under that name, with the types it has here:
 * mobula::function<double(double, double)> add("add"); mobula::submit(add, 1.0, 2.0). */
template <class Signature> class function;
template <class R, class... P> class function<R(P...)> {
  public:
    explicit function(std::string name) : name_(std::move(name)) {}
    const std::string &name() const noexcept { return name_; }

  private:
    std::string name_;
};

/* Submits a task: a call of a function that MOBULA_REMOTE registered. Returns a reference to its result at once. An
 * argument is a value, or a ref to one: then the task runs when it is there, and fails if it fails. What fails later is
 * thrown by ref::get. */
template <class R, class... P, class... A>
detail::call_result<R, detail::types<P...>, A...> submit(R (*function)(P...), const A &...args) {
    return detail::submit_named<R>(detail::registered_name(function), nullptr, detail::types<P...>{}, args...);
}
template <class R, class... P, class... A>
detail::refused_call<R, detail::types<P...>, A...> submit(R (*function)(P...), const A &...args) = delete;
/* The same, of a function of another language. */
template <class R, class... P, class... A>
ref<detail::result_of<R>> submit(const function<R(P...)> &function, const A &...args) {
    return detail::submit_named<R>(function.name().c_str(), nullptr, detail::types<P...>{}, args...);
}
/* A call that does not compile, with the reason. */
template <class F, class... A, class = std::enable_if_t<detail::is_no_function<F>>>
void submit(const F &, const A &...) {
    static_assert(detail::never<F>, "mobula: submit takes a function of MOBULA_REMOTE, no lambda or object");
}

/* What mobula::with returns: calls with options. */
class with_options {
  public:
    explicit with_options(options given) : options_(std::move(given)) {}
    /* As mobula::submit. */
    template <class R, class... P, class... A>
    detail::call_result<R, detail::types<P...>, A...> submit(R (*function)(P...), const A &...args) const {
        const mobula_options values = options_.values();
        return detail::submit_named<R>(detail::registered_name(function), &values, detail::types<P...>{}, args...);
    }
    template <class R, class... P, class... A>
    detail::refused_call<R, detail::types<P...>, A...> submit(R (*function)(P...), const A &...args) const = delete;
    template <class R, class... P, class... A>
    ref<detail::result_of<R>> submit(const function<R(P...)> &function, const A &...args) const {
        const mobula_options values = options_.values();
        return detail::submit_named<R>(function.name().c_str(), &values, detail::types<P...>{}, args...);
    }
    template <class F, class... A, class = std::enable_if_t<detail::is_no_function<F>>>
    void submit(const F &, const A &...) const {
        static_assert(detail::never<F>, "mobula: submit takes a function of MOBULA_REMOTE, no lambda or object");
    }
    /* Creates an actor: with(options{}.name("visits")).actor<counter>(0). */
    template <class T, class... A> ::mobula::actor<T> actor(const A &...args) const;

  private:
    options options_;
};

/* mobula::with(mobula::options{}.num_cpus(2)).submit(add, x, 10.0). */
inline with_options with(options given) { return with_options(std::move(given)); }

/* ---- Actors ------------------------------------------------------------------------------------------------------ */

namespace detail {

template <class T> struct tag {};

/* What MOBULA_ACTOR says of a class: the parameters of its constructor. */
template <class Signature> struct constructor;
template <class... P> struct constructor<void(P...)> {
    using parameters = types<P...>;
};

template <class T, class = void> struct description {
    static constexpr bool exists = false;
};
template <class T>
struct description<T, std::void_t<decltype(mobula_described(tag<T>{}, mobula_global_namespace{}))>> {
    static constexpr bool exists = true;
    using parameters = typename decltype(mobula_described(tag<T>{}, mobula_global_namespace{}))::parameters;
};

/* The name of the class in the function table. */
template <class T> std::string &class_name() {
    static std::string name;
    return name;
}

/* The names of T's methods of the type Method. */
template <class T, class Method> struct method_entry {
    Method method;
    std::string name;
    const method_entry *next;
    static inline const method_entry *first = nullptr;
};

template <class T, class Method> const char *method_name(Method method) {
    using entry = method_entry<T, Method>;
    const entry *one = entry::first;
    while (one != nullptr && one->method != method) one = one->next;
    if (one != nullptr) return one->name.c_str();
    throw unknown_function("mobula::actor::call: the method is not registered: add it to MOBULA_ACTOR of " +
                           class_name<T>());
}

} // namespace detail

/* A handle of an actor: a T that lives on one rank, and is used by one call at a time. A T of MOBULA_ACTOR. */
template <class T> class actor {
  public:
    /* Creates an actor from arguments of its constructor; refs as in mobula::submit. It ends when its last handle on
     * any rank does, one with a name only by kill(). A constructor that fails fails the actor's calls, with
     * mobula::actor_died. */
    actor() : actor(created(nullptr)) {}
    template <class... A, class = std::enable_if_t<(sizeof...(A) > 0) && !(std::is_same_v<A, actor> || ...)>>
    explicit actor(const A &...args) : actor(created(nullptr, args...)) {}

    /* Calls a method; as mobula::submit. The calls of one caller run in the order made. */
    template <class R, class C, class... P, class... A>
    detail::call_result<R, detail::types<P...>, A...> call(R (C::*method)(P...), const A &...args) const {
        return call_method<R, C>(detail::method_name<T>(method), detail::types<P...>{}, args...);
    }
    template <class R, class C, class... P, class... A>
    detail::refused_call<R, detail::types<P...>, A...> call(R (C::*method)(P...), const A &...args) const = delete;
    template <class R, class C, class... P, class... A>
    detail::call_result<R, detail::types<P...>, A...> call(R (C::*method)(P...) const, const A &...args) const {
        return call_method<R, C>(detail::method_name<T>(method), detail::types<P...>{}, args...);
    }
    template <class R, class C, class... P, class... A>
    detail::refused_call<R, detail::types<P...>, A...> call(R (C::*method)(P...) const,
                                                            const A &...args) const = delete;
    /* Ends it: calls that have not run, and later ones, fail with mobula::actor_died. */
    void kill() const {
        detail::checked([&] { return mobula_actor_kill(handle_.get()); });
    }

    /* The handle of mobula.h, which this object goes on to own. */
    mobula_actor *handle() const noexcept { return handle_.get(); }
    /* Takes a handle of mobula.h, of an actor whose class is T. */
    static actor adopt(mobula_actor *handle) noexcept { return actor(detail::actor_handle(handle)); }

    /* Internal. */
    explicit actor(detail::actor_handle handle) noexcept : handle_(std::move(handle)) {}
    template <class... A> static detail::actor_handle created(const mobula_options *options, const A &...args) {
        static_assert(detail::description<T>::exists, "mobula: this class has no MOBULA_ACTOR above, in its own "
                                                      "namespace or in the global one: see T");
        mobula_actor *out = nullptr;
        if constexpr (detail::description<T>::exists) {
            detail::call_checked(
                typename detail::description<T>::parameters{},
                [&](const mobula_arg_value *values, std::size_t count) {
                    return mobula_actor_create(detail::class_name<T>().c_str(), values, count, options, &out);
                },
                args...);
        }
        return detail::actor_handle(out);
    }

  private:
    template <class R, class C, class... P, class... A>
    ref<detail::result_of<R>> call_method(const char *name, detail::types<P...> parameters, const A &...args) const {
        static_assert(std::is_base_of_v<C, T>, "mobula: the method is one of another class than the actor's");
        mobula_ref *out = nullptr;
        detail::call_checked(
            parameters,
            [&](const mobula_arg_value *values, std::size_t count) {
                return mobula_actor_call(handle_.get(), name, values, count, &out, 1);
            },
            args...);
        return ref<detail::result_of<R>>::adopt(out);
    }
    detail::actor_handle handle_;
};

template <class T> struct codec<actor<T>> {
    static void write(writer &out, const actor<T> &value) { out.write_handle(value.handle(), 3); }
    static actor<T> read(reader &in) { return actor<T>::adopt(in.read_handle<mobula_actor>(mobula_arg_actor)); }
};

template <class T, class... A> ::mobula::actor<T> with_options::actor(const A &...args) const {
    const mobula_options values = options_.values();
    return ::mobula::actor<T>(::mobula::actor<T>::created(&values, args...));
}

/* The actor that was created with that name, by any rank. Throws mobula::actor_died if there is none. */
template <class T> actor<T> find_actor(const std::string &name) {
    mobula_actor *out = nullptr;
    detail::checked([&] { return mobula_actor_find(name.c_str(), &out); });
    return actor<T>::adopt(out);
}

/* ---- Tasks: what is called on the rank that runs them ------------------------------------------------------------ */

namespace detail {

inline mobula_status fail(mobula_call *call, const char *why) {
    if (mobula_fail(call, why) == MOBULA_ERR_TASK) return MOBULA_ERR_TASK;
    std::string text = why; // is not UTF-8
    for (char &c : text) {
        if (static_cast<unsigned char>(c) > 127) c = '?';
    }
    return mobula_fail(call, text.c_str());
}

/* Runs the body of a task, whose failure is what it throws. */
template <class Body> mobula_status run(mobula_call *call, Body &&body) noexcept {
    try {
        frame arguments(call);
        body(arguments);
        return MOBULA_OK;
    } catch (const error &thrown) {
        // An error of the library passes on as it is, unless another call has failed since.
        const mobula_status status = thrown.status();
        if (std::strcmp(mobula_last_error(), thrown.what()) == 0) return status;
        if (mobula_set_last_error(status, thrown.what()) == status) return status;
        return fail(call, thrown.what());
    } catch (const std::exception &thrown) {
        return fail(call, thrown.what());
    } catch (...) {
        return fail(call, "it threw something that is no std::exception");
    }
}

template <class D> D read_argument(frame &arguments, std::size_t index) {
    if constexpr (is_a<ref, D>) {
        mobula_ref *handle = nullptr;
        checked([&] { return mobula_arg_ref(arguments.call(), index, &handle); });
        return D::adopt(handle);
    } else if constexpr (is_a<actor, D>) {
        mobula_actor *handle = nullptr;
        checked([&] { return mobula_arg_actor(arguments.call(), index, &handle); });
        return D::adopt(handle);
    } else {
        mobula_view view;
        checked([&] { return mobula_arg(arguments.call(), index, form<D>::element, &view); });
        arguments.reads(index);
        try {
            return form<D>::unpack(view, &arguments);
        } catch (const type_error &wrong) {
            throw type_error("argument " + std::to_string(index) + ": " + wrong.what());
        }
    }
}

template <std::size_t Position, class D> struct argument_slot {
    D value;
};
/* The arguments of a call, read in order. */
template <class Positions, class... P> struct argument_slots;
template <std::size_t... Position, class... P>
struct argument_slots<std::index_sequence<Position...>, P...> : argument_slot<Position, value_of<P>>... {
    explicit argument_slots(frame &arguments)
        : argument_slot<Position, value_of<P>>{ read_argument<value_of<P>>(arguments, Position) }... {
        arguments.check_count(sizeof...(P));
    }
    template <class Call> decltype(auto) pass_to(Call &&call) {
        return call(static_cast<P &&>(static_cast<argument_slot<Position, value_of<P>> &>(*this).value)...);
    }
};

template <class R> void give_result(mobula_call *call, const R &value) {
    std::string bytes;
    const mobula_arg_value packed = form<R>::pack(value, bytes, nullptr);
    checked([&] { return mobula_return(call, 0, packed.data, packed.count, packed.type); });
}
template <class T> void give_result(mobula_call *call, const ref<T> &value) {
    checked([&] { return mobula_return_ref(call, 0, value.handle()); });
}
template <class T> void give_result(mobula_call *call, const actor<T> &value) {
    checked([&] { return mobula_return_actor(call, 0, value.handle()); });
}

/* Calls `call` with the arguments of a call of mobula.h, and gives what it returns as the result. */
template <class R, class... P, class Call> void call_body(frame &arguments, types<P...>, Call &&call) {
    argument_slots<std::index_sequence_for<P...>, P...> slots(arguments);
    if constexpr (std::is_void_v<R>) {
        slots.pass_to(call);
    } else {
        auto &&value = slots.pass_to(call);
        if constexpr (is_a<buffer, value_of<R>>) {
            static_assert(!std::is_reference_v<R>, "mobula: a buffer is returned by value");
            give_result(arguments.call(), value.seal());
        } else {
            give_result(arguments.call(), value);
        }
    }
}

template <class P> constexpr bool can_be_parameter() {
    constexpr bool is_written = std::is_lvalue_reference_v<P> && !std::is_const_v<std::remove_reference_t<P>>;
    return !is_written && supported<value_of<P>>;
}
template <class R> constexpr bool can_be_result() {
    if constexpr (std::is_void_v<R> || is_a<buffer, value_of<R>>) {
        return true;
    } else {
        return supported<value_of<R>>;
    }
}

#define MOBULA_DETAIL_AT(position, ordinal)                                                                            \
    static_assert(value || Position != position,                                                                       \
                  "mobula: the " ordinal " parameter of the function cannot be passed: it is a pointer, a reference "  \
                  "that is written, or of a type without a mobula::codec: see Function and Parameter")
template <auto Function, std::size_t Position, class Parameter> struct check_parameter {
    static constexpr bool value = can_be_parameter<Parameter>();
    MOBULA_DETAIL_AT(0, "1st");
    MOBULA_DETAIL_AT(1, "2nd");
    MOBULA_DETAIL_AT(2, "3rd");
    MOBULA_DETAIL_AT(3, "4th");
    MOBULA_DETAIL_AT(4, "5th");
    MOBULA_DETAIL_AT(5, "6th");
    MOBULA_DETAIL_AT(6, "7th");
    MOBULA_DETAIL_AT(7, "8th");
    static_assert(value || Position < 8, "mobula: a parameter of the function, after the 8th, cannot be passed: see "
                                         "Function, Position and Parameter");
};
#undef MOBULA_DETAIL_AT

/* A function or method with result R and parameters P. */
template <auto Function, class R, class... P> struct check_function {
    template <std::size_t... Position> static constexpr bool check_parameters(std::index_sequence<Position...>) {
        return (check_parameter<Function, Position, P>::value && ...);
    }
    static_assert(can_be_result<R>(), "mobula: the result of the function cannot be returned: it is a pointer, or of "
                                      "a type without a mobula::codec: see Function and R");
    static constexpr bool value = check_parameters(std::index_sequence_for<P...>{}) && can_be_result<R>();
};

/* A function as a task of mobula.h. */
template <auto Function, class Type = decltype(Function)> struct task;
template <auto Function, class R, class... P> struct task<Function, R (*)(P...)> {
    static mobula_status run(mobula_call *call, void *) noexcept {
        return detail::run(call, [](frame &arguments) {
            if constexpr (check_function<Function, R, P...>::value) {
                call_body<R>(arguments, types<P...>{}, Function);
            }
        });
    }
    static void (*address())() { return reinterpret_cast<void (*)()>(Function); }
};
template <auto Function, class R, class... P>
struct task<Function, R (*)(P...) noexcept> : task<Function, R (*)(P...)> {};

/* A method of T as one of mobula.h. `plain` is its type without noexcept. */
template <class T, auto Method, class Type = decltype(Method)> struct method;
template <class T, auto Method, class R, class... P> struct method_body {
    static mobula_status run(mobula_call *call, void *state) noexcept {
        return detail::run(call, [state](frame &arguments) {
            if constexpr (check_function<Method, R, P...>::value) {
                T &self = *static_cast<T *>(state);
                call_body<R>(arguments, types<P...>{},
                             [&self](P &&...args) -> R { return (self.*Method)(static_cast<P &&>(args)...); });
            }
        });
    }
};
template <class T, auto Method, class R, class C, class... P>
struct method<T, Method, R (C::*)(P...)> : method_body<T, Method, R, P...> {
    using plain = R (C::*)(P...);
};
template <class T, auto Method, class R, class C, class... P>
struct method<T, Method, R (C::*)(P...) const> : method_body<T, Method, R, P...> {
    using plain = R (C::*)(P...) const;
};
template <class T, auto Method, class R, class C, class... P>
struct method<T, Method, R (C::*)(P...) noexcept> : method<T, Method, R (C::*)(P...)> {};
template <class T, auto Method, class R, class C, class... P>
struct method<T, Method, R (C::*)(P...) const noexcept> : method<T, Method, R (C::*)(P...) const> {};

/* ---- Registration before main ------------------------------------------------------------------------------------ */

/* The first registration that failed: there is nobody to return it to. */
inline std::string &registration_failure() {
    static std::string text;
    return text;
}
inline bool registered(const char *macro, const std::string &what, mobula_status status) {
    if (status == MOBULA_OK) return true;
    std::string &failure = registration_failure();
    if (failure.empty()) failure = std::string(macro) + "(" + what + "): " + mobula_last_error();
    return false;
}

/* What the compiler calls a function or a type, with its namespaces. */
template <auto Named> const char *described_as() { return __PRETTY_FUNCTION__; }
template <class Named> const char *described_as() { return __PRETTY_FUNCTION__; }

/* The qualified name of what is written as `written`: from the compiler's description if it has one. */
inline std::string qualified_name(std::string_view described, std::string_view written) {
    while (!written.empty() && (written[0] == '&' || written[0] == ':' || written[0] == ' ')) written.remove_prefix(1);
    const std::size_t begin = described.find("Named = "), end = described.rfind(']');
    if (begin == std::string_view::npos || end == std::string_view::npos) return std::string(written);
    std::string_view name = described.substr(begin + 8, end - begin - 8);
    while (!name.empty() && (name[0] == '&' || name[0] == ' ')) name.remove_prefix(1);
    const bool ends_alike = name.size() >= written.size() && name.substr(name.size() - written.size()) == written;
    const bool is_longer = ends_alike && name.size() > written.size();
    if (is_longer && name[name.size() - written.size() - 1] == ':') return std::string(name);
    return std::string(written);
}

/* A file that several others include registers its functions once. */
template <auto Function> bool register_function(const std::string &name) {
    static function_entry entry{};
    static std::string own_name;
    if (entry.function != nullptr) return true;
    own_name = name;
    entry.function = task<Function>::address();
    entry.name = own_name.c_str();
    function_table::add(entry);
    return registered("MOBULA_REMOTE", name, mobula_register(name.c_str(), task<Function>::run, nullptr, 1));
}

/* The names in the text of a list of methods: "&counter::increment, &counter::value". */
inline std::vector<std::string> method_names(const std::string &listed) {
    std::vector<std::string> names;
    int depth = 0;
    std::size_t begin = 0;
    for (std::size_t i = 0; i <= listed.size(); ++i) {
        const char c = i < listed.size() ? listed[i] : ',';
        if (c == '<' || c == '(') ++depth;
        if (c == '>' || c == ')') --depth;
        if (c != ',' || (depth != 0 && i < listed.size())) continue;
        std::string name = listed.substr(begin, i - begin);
        const std::size_t last = name.rfind("::");
        if (last != std::string::npos) name.erase(0, last + 2);
        while (!name.empty() && (name.back() == ' ' || name.back() == ')')) name.pop_back();
        names.push_back(name);
        begin = i + 1;
    }
    return names;
}

template <class T, class Parameters> struct construction;
template <class T, class... P> struct construction<T, types<P...>> {
    static mobula_status run(mobula_call *call, void *, void **state) noexcept {
        return detail::run(call, [state](frame &arguments) {
            argument_slots<std::index_sequence_for<P...>, P...> slots(arguments);
            *state = slots.pass_to([](P &&...args) { return new T(static_cast<P &&>(args)...); });
        });
    }
};

/* A restored state is what a function returns that gets what the method `save` returned. */
template <class T, auto Restore, class Type = decltype(Restore)> struct restoration;
template <class T, auto Restore, class R, class P> struct restoration<T, Restore, R (*)(P)> {
    static mobula_status run(mobula_call *call, void *, void **state) noexcept {
        return detail::run(call, [state](frame &arguments) {
            argument_slots<std::index_sequence<0>, P> slots(arguments);
            *state = slots.pass_to([](P &&saved) { return new T(Restore(static_cast<P &&>(saved))); });
        });
    }
};
template <class T, auto Restore, class R, class P>
struct restoration<T, Restore, R (*)(P) noexcept> : restoration<T, Restore, R (*)(P)> {};

template <class T> void destroy(void *state) { delete static_cast<T *>(state); }

struct no_checkpoint {
    template <class T> static void add_to(mobula_actor_class &) {}
};
template <auto Save, auto Restore> struct checkpoint {
    template <class T> static void add_to(mobula_actor_class &described) {
        described.save = method<T, Save>::run;
        described.restore = restoration<T, Restore>::run;
    }
};

template <auto... Methods> struct methods {
    /* Adds the methods of T, which `names` names, to `table`. */
    template <class T> static void add_to(std::vector<mobula_method> &table, const std::vector<std::string> &names) {
        std::size_t position = 0;
        (add_one<T, Methods>(table, names.at(position++)), ...);
    }

  private:
    template <class T, auto Method> static void add_one(std::vector<mobula_method> &table, const std::string &name) {
        using entry = method_entry<T, typename method<T, Method>::plain>;
        static entry own{};
        own = entry{ Method, name, entry::first };
        entry::first = &own;
        table.push_back(mobula_method{ own.name.c_str(), method<T, Method>::run, 1 });
    }
};

template <class T, class Checkpoint, class Methods>
bool register_class(const std::string &name, const char *listed) {
    if (!class_name<T>().empty()) return true;
    class_name<T>() = name;
    std::vector<mobula_method> table;
    Methods::template add_to<T>(table, method_names(listed));
    mobula_actor_class described = MOBULA_ACTOR_CLASS_INIT;
    described.name = class_name<T>().c_str();
    described.construct = construction<T, typename description<T>::parameters>::run;
    described.destroy = destroy<T>;
    described.methods = table.data();
    described.num_methods = table.size();
    Checkpoint::template add_to<T>(described);
    return registered("MOBULA_ACTOR", name, mobula_register_actor(&described));
}

} // namespace detail

/* ---- Start and end ----------------------------------------------------------------------------------------------- */

/* Settings of the start: mobula::config{}.num_cpus(8).resource("Licence", 2). The variables MOBULA_* override them. */
class config {
  public:
    /* CPUs of each host; the default is as found. */
    config &num_cpus(double amount) { return values_.num_cpus = amount, *this; }
    /* GPUs of each host; the default is as found. */
    config &num_gpus(double amount) { return values_.num_gpus = amount, *this; }
    /* Another resource of each host. */
    config &resource(const std::string &name, double amount) { return resources_.add(name, amount), *this; }
    /* Size of a rank's store. */
    config &store_bytes(std::uint64_t bytes) { return values_.store_bytes = bytes, *this; }
    /* Threads that run tasks, of each rank. */
    config &workers(int number) { return values_.workers = number, *this; }
    /* A cluster that runs already is shared, and does not end with the new object. */
    config &ignore_reinit(bool ignore = true) { return values_.ignore_reinit = ignore, *this; }
    /* Every rank goes on after the start and drives, as in MPI; without it rank 0 does, and the others serve. */
    config &all_ranks_drive(bool drive = true) { return all_drive_ = drive, *this; }

    /* The struct of mobula.h: valid as long as this object, and until it is changed. */
    mobula_config values() const {
        mobula_config values = values_;
        values.resources = resources_.text();
        return values;
    }
    /* Internal. */
    bool is_driver(std::uint32_t rank) const noexcept { return all_drive_ || rank == 0; }

  private:
    mobula_config values_ = MOBULA_CONFIG_INIT;
    detail::resource_list resources_;
    bool all_drive_ = false;
};

namespace detail {
/* An MPI_Comm: the address of a struct with Open MPI, an int with MPICH. */
template <class T>
constexpr bool is_communicator =
    std::is_same_v<T, int> || (std::is_pointer_v<T> && std::is_class_v<std::remove_pointer_t<T>>);
} // namespace detail

/* The cluster of the ranks that the launcher started; without one, of this process. It starts with the object, and ends
 * with it. Ranks that drive nothing serve within the constructor, and end their process there, by std::exit. */
class cluster {
  public:
    /* Throws mobula::config_error, mobula::fabric_error: see mobula_init. */
    cluster() : cluster(config{}) {}
    explicit cluster(const config &settings) {
        if (!starts(settings, mobula_init)) return;
        if (!settings.is_driver(mobula_rank())) std::exit(ended(mobula_serve()));
        owns_ = true;
    }
    /* In a program that uses MPI itself: the cluster of the ranks of an MPI_Comm, each of which makes the object, after
     * MPI_Init, and ends it before MPI_Finalize. All of them go on after the start. As mobula_init_with_comm in
     * mobula_mpi.h, which says more; that header is not needed here. */
    template <class Comm, class = std::enable_if_t<detail::is_communicator<Comm>>>
    explicit cluster(Comm comm, const config &settings = config{}) {
        owns_ = starts(settings, [&](const mobula_config *values) {
            return mobula_init_with_comm_at(&comm, sizeof(comm), values);
        });
    }
    /* Ends it as shutdown() does; a failure is printed. */
    ~cluster() {
        if (owns_) ended(mobula_shutdown());
    }
    cluster(const cluster &) = delete;
    cluster &operator=(const cluster &) = delete;

    /* Declares this rank's work finished; returns when all ranks have, and the cluster is stopped. Only the thread that
     * made the object may call it. Throws what mobula_shutdown returns. */
    void shutdown() {
        if (!std::exchange(owns_, false)) return;
        detail::checked([&] { return mobula_shutdown(); });
    }

  private:
    /* False if a cluster ran already, and is shared. */
    template <class Init> static bool starts(const config &settings, Init init) {
        const std::string &failure = detail::registration_failure();
        if (!failure.empty()) throw config_error(failure);
        const mobula_config values = settings.values();
        const bool is_shared = values.ignore_reinit && mobula_is_initialized();
        detail::checked([&] { return init(&values); });
        return !is_shared;
    }
    /* The exit code of a rank whose cluster ended so. */
    static int ended(mobula_status status) noexcept {
        if (status == MOBULA_OK) return EXIT_SUCCESS;
        std::fprintf(stderr, "mobula: %s: %s\n", mobula_status_name(status), mobula_last_error());
        return EXIT_FAILURE;
    }
    bool owns_ = false;
};

/* This process's rank, from 0; 0 while no cluster runs. */
inline std::uint32_t rank() { return mobula_rank(); }
/* How many ranks there are; 0 while no cluster runs. */
inline std::uint32_t size() { return mobula_size(); }
/* If a cluster runs in this process. */
inline bool is_initialized() { return mobula_is_initialized(); }
/* The amount of "CPU", "GPU" or another resource on all hosts together, in all and at the moment. */
inline double resource_total(const std::string &name) { return mobula_resource_total(name.c_str()); }
inline double resource_available(const std::string &name) { return mobula_resource_available(name.c_str()); }

} // namespace mobula

/* ---- Macros: registration before main ---------------------------------------------------------------------------- */

#define MOBULA_DETAIL_JOIN_(a, b) a##b
#define MOBULA_DETAIL_JOIN(a, b) MOBULA_DETAIL_JOIN_(a, b)
#if defined(__clang__) && __clang_major__ >= 22 /* which warns of __COUNTER__ */
#define MOBULA_DETAIL_REGISTERS [[maybe_unused]] static const bool MOBULA_DETAIL_JOIN(mobula_registers_, __LINE__)
#else
#define MOBULA_DETAIL_REGISTERS [[maybe_unused]] static const bool MOBULA_DETAIL_JOIN(mobula_registers_, __COUNTER__)
#endif

/* Makes a function one that mobula::submit can call: MOBULA_REMOTE(add). At file scope or in a namespace, in a file or
 * a header, on every rank alike. Its name for other languages is its name with namespaces. */
#define MOBULA_REMOTE(...)                                                                                             \
    MOBULA_DETAIL_REGISTERS = ::mobula::detail::register_function<__VA_ARGS__>(                                        \
        ::mobula::detail::qualified_name(::mobula::detail::described_as<__VA_ARGS__>(), #__VA_ARGS__))

/* The same under a name of its own: for instances of templates, one of several overloads, and static functions of one
 * name in several files: MOBULA_REMOTE_AS("norm_f64", norm<double>). */
#define MOBULA_REMOTE_AS(name, ...) MOBULA_DETAIL_REGISTERS = ::mobula::detail::register_function<__VA_ARGS__>(name)

/* Makes a class one of actors: MOBULA_ACTOR(counter, (long), &counter::increment, &counter::value) with the parameters
 * of its constructor and up to 60 methods. In the class's own namespace or the global one, where it can be seen by what
 * creates actors.
 *
 * With one argument it is the macro of mobula.h: an actor's handle as an argument of a call. */
#undef MOBULA_ACTOR
#define MOBULA_ACTOR(...)                                                                                              \
    MOBULA_DETAIL_64TH(__VA_ARGS__, MOBULA_DETAIL_10_CLASSES, MOBULA_DETAIL_10_CLASSES, MOBULA_DETAIL_10_CLASSES,      \
                       MOBULA_DETAIL_10_CLASSES, MOBULA_DETAIL_10_CLASSES, MOBULA_DETAIL_10_CLASSES,                   \
                       MOBULA_DETAIL_CLASS, MOBULA_DETAIL_CLASS, MOBULA_DETAIL_ARGUMENT, unused)                       \
    (__VA_ARGS__)

/* A class whose actors go on elsewhere if their rank dies, with options{}.max_restarts: `save` is a method that returns
 * the state, `restore` a function, static or of no class, that returns an object of such a state. */
#define MOBULA_ACTOR_SAVED(type, parameters, save, restore, ...)                                                       \
    MOBULA_DETAIL_DESCRIBE(type, parameters, (::mobula::detail::checkpoint<save, restore>), __VA_ARGS__)

#define MOBULA_DETAIL_CLASS(type, parameters, ...)                                                                     \
    MOBULA_DETAIL_DESCRIBE(type, parameters, (::mobula::detail::no_checkpoint), __VA_ARGS__)
#define MOBULA_DETAIL_DESCRIBE(type, parameters, checkpoint, ...)                                                      \
    [[maybe_unused]] inline ::mobula::detail::constructor<void parameters> mobula_described(                           \
        ::mobula::detail::tag<type>, ::mobula_global_namespace) {                                                      \
        return {};                                                                                                     \
    }                                                                                                                  \
    MOBULA_DETAIL_REGISTERS =                                                                                          \
        ::mobula::detail::register_class<type, MOBULA_DETAIL_BARE checkpoint, ::mobula::detail::methods<__VA_ARGS__>>( \
            ::mobula::detail::qualified_name(::mobula::detail::described_as<type>(), #type), #__VA_ARGS__)
#define MOBULA_DETAIL_BARE(...) __VA_ARGS__
#define MOBULA_DETAIL_ARGUMENT(actor) mobula_make_arg(nullptr, 0, MOBULA_BYTES, 3u, (actor))
#define MOBULA_DETAIL_10_CLASSES                                                                                       \
    MOBULA_DETAIL_CLASS, MOBULA_DETAIL_CLASS, MOBULA_DETAIL_CLASS, MOBULA_DETAIL_CLASS, MOBULA_DETAIL_CLASS,           \
        MOBULA_DETAIL_CLASS, MOBULA_DETAIL_CLASS, MOBULA_DETAIL_CLASS, MOBULA_DETAIL_CLASS, MOBULA_DETAIL_CLASS
#define MOBULA_DETAIL_64TH(...) MOBULA_DETAIL_64TH_(__VA_ARGS__)
#define MOBULA_DETAIL_64TH_(                                                                                           \
    a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22,               \
    a23, a24, a25, a26, a27, a28, a29, a30, a31, a32, a33, a34, a35, a36, a37, a38, a39, a40, a41, a42,                \
    a43, a44, a45, a46, a47, a48, a49, a50, a51, a52, a53, a54, a55, a56, a57, a58, a59, a60, a61, a62,                \
    a63, which, ...)                                                                                                   \
    which

#endif
