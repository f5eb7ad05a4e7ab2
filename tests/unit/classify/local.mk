if CMOCKA
classify_tests = \
	tests/unit/classify/call_test \
	tests/unit/classify/futex_test \
	tests/unit/classify/hostile_test \
	tests/unit/classify/hotspot_test \
	tests/unit/classify/idle_test \
	tests/unit/classify/memo_test \
	tests/unit/classify/names_test \
	tests/unit/classify/owners_test \
	tests/unit/classify/peers_test \
	tests/unit/classify/state_test \
	tests/unit/classify/table_test \
	tests/unit/classify/time_test
check_PROGRAMS += $(classify_tests)
TESTS += $(classify_tests)
classify_fake = tests/unit/classify/fake.c tests/unit/classify/fake.h
tests_unit_classify_call_test_SOURCES = tests/unit/classify/call_test.c $(classify_fake)
tests_unit_classify_call_test_CPPFLAGS = $(unit_cppflags)
tests_unit_classify_call_test_LDADD = $(unit_ldadd)
tests_unit_classify_futex_test_SOURCES = tests/unit/classify/futex_test.c $(classify_fake)
tests_unit_classify_futex_test_CPPFLAGS = $(unit_cppflags)
tests_unit_classify_futex_test_LDADD = $(unit_ldadd)
tests_unit_classify_hostile_test_SOURCES = tests/unit/classify/hostile_test.c $(classify_fake)
tests_unit_classify_hostile_test_CPPFLAGS = $(unit_cppflags)
tests_unit_classify_hostile_test_LDADD = $(unit_ldadd)
tests_unit_classify_hotspot_test_SOURCES = tests/unit/classify/hotspot_test.c $(classify_fake)
tests_unit_classify_hotspot_test_CPPFLAGS = $(unit_cppflags)
tests_unit_classify_hotspot_test_LDADD = $(unit_ldadd)
tests_unit_classify_idle_test_SOURCES = tests/unit/classify/idle_test.c $(classify_fake)
tests_unit_classify_idle_test_CPPFLAGS = $(unit_cppflags)
tests_unit_classify_idle_test_LDADD = $(unit_ldadd)
tests_unit_classify_memo_test_SOURCES = tests/unit/classify/memo_test.c $(classify_fake)
tests_unit_classify_memo_test_CPPFLAGS = $(unit_cppflags)
tests_unit_classify_memo_test_LDADD = $(unit_ldadd)
tests_unit_classify_names_test_SOURCES = tests/unit/classify/names_test.c
tests_unit_classify_names_test_CPPFLAGS = $(unit_cppflags)
tests_unit_classify_names_test_LDADD = $(unit_ldadd)
tests_unit_classify_owners_test_SOURCES = tests/unit/classify/owners_test.c $(classify_fake)
tests_unit_classify_owners_test_CPPFLAGS = $(unit_cppflags)
tests_unit_classify_owners_test_LDADD = $(unit_ldadd)
tests_unit_classify_peers_test_SOURCES = tests/unit/classify/peers_test.c $(classify_fake)
tests_unit_classify_peers_test_CPPFLAGS = $(unit_cppflags)
tests_unit_classify_peers_test_LDADD = $(unit_ldadd)
tests_unit_classify_state_test_SOURCES = tests/unit/classify/state_test.c $(classify_fake)
tests_unit_classify_state_test_CPPFLAGS = $(unit_cppflags)
tests_unit_classify_state_test_LDADD = $(unit_ldadd)
tests_unit_classify_table_test_SOURCES = tests/unit/classify/table_test.c
tests_unit_classify_table_test_CPPFLAGS = $(unit_cppflags)
tests_unit_classify_table_test_LDADD = $(unit_ldadd)
tests_unit_classify_time_test_SOURCES = tests/unit/classify/time_test.c $(classify_fake)
tests_unit_classify_time_test_CPPFLAGS = $(unit_cppflags)
tests_unit_classify_time_test_LDADD = $(unit_ldadd)
endif
