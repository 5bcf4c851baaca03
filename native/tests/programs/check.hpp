// What the test programs in C++ check with: a failed check prints the line and ends the process.
#ifndef CHECK_HPP
#define CHECK_HPP

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mobula.hpp>

#define CHECK(...)                                                                                                     \
    do {                                                                                                               \
        if (!(__VA_ARGS__)) {                                                                                          \
            std::fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #__VA_ARGS__);                       \
            std::exit(1);                                                                                              \
        }                                                                                                              \
    } while (0)

// The expression throws exactly that class, and what() contains the text.
#define THROWS(type, text, ...)                                                                                        \
    do {                                                                                                               \
        bool threw_ = false;                                                                                           \
        try {                                                                                                          \
            static_cast<void>(__VA_ARGS__);                                                                            \
        } catch (const std::exception &thrown_) {                                                                      \
            threw_ = dynamic_cast<const type *>(&thrown_) != nullptr && std::strstr(thrown_.what(), (text));           \
            if (!threw_) std::fprintf(stderr, "it threw %s\n", thrown_.what());                                        \
        }                                                                                                              \
        if (!threw_) {                                                                                                 \
            std::fprintf(stderr, "%s:%d: %s does not throw %s with %s\n", __FILE__, __LINE__, #__VA_ARGS__, #type,     \
                         (text));                                                                                      \
            std::exit(1);                                                                                              \
        }                                                                                                              \
    } while (0)

#endif
