#include "classify/frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void normal(const char *name, const char *expected)
{
	char got[NAME_CAP];
	name_normalise(name, got);
	assert_string_equal(got, expected);
}

static void names_are_brought_to_one_form(void **state)
{
	(void)state;
	normal(NULL, "");
	normal("", "");
	normal("pthread_cond_wait@@GLIBC_2.3.2", "pthread_cond_wait");
	normal("__GI___futex_abstimed_wait_cancelable64", "futex_abstimed_wait_cancelable64");
	normal("___pthread_mutex_lock", "pthread_mutex_lock");
	normal("do_futex_wait.constprop.0", "do_futex_wait");
	normal("__new_sem_wait_slow64.constprop.1", "new_sem_wait_slow64");
	normal("foo.isra.0.part.2.cold", "foo");
	normal("__interceptor_pthread_mutex_lock", "pthread_mutex_lock");
	normal("runtime.futexsleep", "runtime.futexsleep");
	normal("_", "_");
}

static void parameters_and_template_arguments_are_dropped(void **state)
{
	(void)state;
	normal("std::condition_variable::wait(std::unique_lock<std::mutex>&)",
	       "std::condition_variable::wait");
	normal("std::counting_semaphore<1l>::acquire()", "std::counting_semaphore::acquire");
	normal("void std::__atomic_wait_address_v<int, a::{lambda()#1}>(int const*, int)",
	       "std::__atomic_wait_address_v");
	normal("(anonymous namespace)::Pool::wait_for_work()", "::Pool::wait_for_work");
	normal("Functor::operator()(int) const", "Functor::operator()");
	normal("bool operator<(A const&, B const&)", "operator<");
	normal("std::future<int>::get() [clone .cold]", "std::future::get");
}

static void rust_names_in_both_manglings_are_one(void **state)
{
	(void)state;
	normal("std::sync::mpmc::list::Channel<T>::recv::h0123456789abcdef",
	       "std::sync::mpmc::list::Channel::recv");
	normal("<std::sync::mpmc::list::Channel<i32>>::recv",
	       "std::sync::mpmc::list::Channel::recv");
	normal("<alloc::sync::Arc<T> as core::ops::Deref>::deref", "alloc::sync::Arc::deref");
	normal("std::thread::scoped::scope::<(), main::{closure#0}>", "std::thread::scoped::scope");
}

static void broken_names_do_no_harm(void **state)
{
	(void)state;
	char got[NAME_CAP], name[5000];
	static const char *const broken[] = {"<",	   "<<<<<<<<",	 ">",	     "(",
					     "a<b",	   "::",	 "operator", "operator<",
					     "operator()", "a::<",	 "< as >",   "<< as >",
					     "@@",	   ".constprop", "__GI_",    "__",
					     "\xff<\xfe>"};
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		name_normalise(broken[i], got);
		assert_true(strlen(got) < NAME_CAP);
	}
	for (const char *fill = "<>(:a "; *fill; fill++) {
		memset(name, *fill, sizeof(name));
		name[sizeof(name) - 1] = '\0';
		name_normalise(name, got);
		assert_true(strlen(got) < NAME_CAP);
	}
}

static void patterns_match_whole_components(void **state)
{
	(void)state;
	assert_true(name_matches_pattern("take_gil", "take_gil"));
	assert_false(name_matches_pattern("mistake_gil", "take_gil"));
	assert_false(name_matches_pattern("take_gils", "take_gil"));
	assert_true(name_matches_pattern("std::sys::sync::mutex::futex::Mutex::lock_contended",
					 "Mutex::lock_contended"));
	assert_false(
		name_matches_pattern("my::SharedMutex::lock_contended", "Mutex::lock_contended"));
	assert_true(name_matches_pattern("g_mutex_lock_slowpath", "g_mutex_lock*"));
	assert_true(name_matches_pattern("a::Parker::park_timeout", "Parker::park*"));
	assert_false(name_matches_pattern("a::Parker::park::inner", "Parker::park*"));
	assert_false(name_matches_pattern("", "x"));
	assert_false(name_matches_pattern("", "x*"));
}

/* A pattern that is not in the normal form would never match anything. */
static void no_match_is_lost_by_its_first_letter(void **state)
{
	(void)state;
	static const struct {
		const char *name, *pattern;
	} fits[] = {{"pthread_mutex_lock", "pthread_mutex_lock"},
		    {"std::sys::Mutex::lock_contended", "Mutex::lock_contended"},
		    {"a::b::futex_wait", "futex_*"},
		    {"uv__io_poll", "uv__io_*"}};
	for (size_t i = 0; i < sizeof(fits) / sizeof(fits[0]); i++) {
		assert_true(name_matches_pattern(fits[i].name, fits[i].pattern));
		assert_true(name_may_match(name_initials(fits[i].name), fits[i].pattern));
	}
	assert_false(name_may_match(name_initials("a::b::c"), "d"));
	assert_false(name_may_match(name_initials(""), "d"));
}

static void rows_are_in_the_normal_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < frame_row_count; i++) {
		char got[NAME_CAP];
		const char *pattern = frame_rows[i].pattern;
		name_normalise(pattern, got);
		assert_string_equal(got, pattern);
		assert_non_null(frame_rows[i].source);
		assert_true(frame_rows[i].class < WAIT_CLASSES);
		assert_true(frame_rows[i].primitive < PRIMITIVES);
		if (frame_rows[i].primitive != PRIMITIVE_NONE)
			assert_int_equal(primitive_rows[frame_rows[i].primitive].class,
					 frame_rows[i].class);
		for (size_t j = 0; j < i; j++) {
			if (strcmp(pattern, frame_rows[j].pattern) == 0 &&
			    frame_rows[i].contains == frame_rows[j].contains)
				fail_msg("%s is there twice", pattern);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_brought_to_one_form),
		cmocka_unit_test(parameters_and_template_arguments_are_dropped),
		cmocka_unit_test(rust_names_in_both_manglings_are_one),
		cmocka_unit_test(broken_names_do_no_harm),
		cmocka_unit_test(patterns_match_whole_components),
		cmocka_unit_test(no_match_is_lost_by_its_first_letter),
		cmocka_unit_test(rows_are_in_the_normal_form),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
