# kvmperf. 'make' builds build/kvmperf; scripts/demo.sh and scripts/check.sh
# also install what is missing, make included. SANITIZE=1 builds with ASan and UBSan into
# build/sanitize.
BUILD   ?= build$(if $(SANITIZE),/sanitize)
CC      ?= gcc
CLANG   ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool /usr/local/sbin/bpftool) bpftool)

PREFIX  ?= /usr/local
VERSION := 0.1.0

WARNINGS = -Wall -Wextra -Wconversion -Wshadow $(if $(WERROR),-Werror)
SANFLAGS = $(if $(SANITIZE),-fsanitize=address$(comma)undefined -fno-omit-frame-pointer)
comma   := ,
CFLAGS  ?= -O2 -g
CPPFLAGS += -D_GNU_SOURCE -DKVMPERF_VERSION='"$(VERSION)"' -Isrc -isystem $(BUILD)/bpf -isystem $(BUILD)/proto
ALL_CFLAGS = -std=gnu17 $(WARNINGS) $(CFLAGS) $(SANFLAGS) -MD -MP
LDLIBS  = -lbpf -ljansson -lelf -lprotobuf-c -lzstd -lz -lm -lpthread

BPF_SOURCES := $(wildcard src/bpf/*.bpf.c)
SKELETONS   := $(BPF_SOURCES:src/bpf/%.bpf.c=$(BUILD)/bpf/%.skel.h)
GENERATED   := $(SKELETONS) $(BUILD)/proto/pprof.pb-c.h
SOURCES     := $(filter-out %.bpf.c src/main.c,$(shell find src -name '*.c' | sort))
OBJECTS     := $(SOURCES:%.c=$(BUILD)/%.o) $(BUILD)/proto/pprof.pb-c.o
LIBRARY     := $(BUILD)/libkvmperf.a

TEST_SOURCES := $(sort $(wildcard tests/unit/*_test.c tests/golden/*_test.c tests/live/*_test.c))
TESTS        := $(TEST_SOURCES:%.c=$(BUILD)/%)
KVMLOAD_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tests/kvmload/*.c)))

# Fuzz targets, by libFuzzer: the readers of files that others made.
FUZZ_SECONDS ?= 1800
FUZZ_FLAGS   := -g -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
FUZZ_SOURCES := $(filter-out %.bpf.c,$(wildcard src/perf_data/*.c src/report/*.c src/account/*.c \
		src/base/*.c src/symbols/*.c src/traffic/*.c src/view/*.c)) \
		$(addprefix src/measure/,interval.c interval_builder.c labels.c shared_causes.c exit_counts.c) \
		$(addprefix src/discover/,vm.c thread_role.c vmm_options.c proc_file.c) \
		$(addprefix src/collect/,collector.c interrupt_context.c perf_events.c) \
		src/calibrate/calibration_json.c
FUZZ_OBJECTS := $(FUZZ_SOURCES:%.c=$(BUILD)/fuzz/%.o) $(BUILD)/fuzz/proto/pprof.pb-c.o
FUZZERS      := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/*_fuzz.c))

ARCH := $(shell uname -m | sed 's/x86_64/x86/;s/aarch64/arm64/')

.PHONY: all tests demo check bench fuzz fuzzers format format-check clean install
.SECONDARY:

all: $(BUILD)/kvmperf

demo:
	@scripts/demo.sh

check:
	@scripts/check.sh

bench:
	@scripts/setup.sh bench
	@$(MAKE) --no-print-directory -s -j2 all $(BUILD)/kvmload $(BUILD)/repeat_recording
	@bench/run.sh $(BUILD)

tests: all $(TESTS) $(BUILD)/kvmload $(BUILD)/tap_traffic $(BUILD)/softirq_time $(BUILD)/stolen_time \
	$(BUILD)/tagging_cost $(BUILD)/repeat_recording

$(BUILD)/kvmperf: $(BUILD)/src/main.o $(LIBRARY)
	$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# Programs of the benchmarks and the live tests.
$(BUILD)/%: $(BUILD)/bench/%.o $(LIBRARY)
	$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/kvmload: $(KVMLOAD_OBJECTS) $(LIBRARY)
	$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(LIBRARY): $(OBJECTS)
	@rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/tests/%_test: $(BUILD)/tests/%_test.o $(LIBRARY)
	$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka $(LDLIBS)

$(BUILD)/%.o: %.c | $(GENERATED)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/bpf/%.bpf.o: src/bpf/%.bpf.c $(wildcard src/bpf/*.h)
	@mkdir -p $(@D)
	$(CLANG) -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Wno-unused-parameter -D__TARGET_ARCH_$(ARCH) \
		-I/usr/include/$(shell uname -m)-linux-gnu -Isrc/bpf -c -o $@.tmp $<
	$(BPFTOOL) gen object $@ $@.tmp
	@rm -f $@.tmp

$(BUILD)/bpf/%.skel.h: $(BUILD)/bpf/%.bpf.o
	$(BPFTOOL) gen skeleton $< name $*_bpf >$@.tmp
	@mv $@.tmp $@

$(BUILD)/proto/%.pb-c.c $(BUILD)/proto/%.pb-c.h: src/view/%.proto
	@mkdir -p $(@D)
	protoc-c --proto_path=$(<D) --c_out=$(@D) $<

# Not ours, so without our warnings.
$(BUILD)/proto/%.o: $(BUILD)/proto/%.c
	$(CC) -std=gnu17 $(CFLAGS) $(SANFLAGS) -MD -MP -c -o $@ $<

fuzzers: $(FUZZERS)

fuzz: fuzzers
	@tests/fuzz/run $(BUILD)/fuzz $(FUZZ_SECONDS)

$(BUILD)/fuzz/%_fuzz: tests/fuzz/%_fuzz.c tests/fuzz/fuzz_file.h $(FUZZ_OBJECTS)
	$(CLANG) $(CPPFLAGS) -std=gnu17 -Wall -Wextra $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ \
		$< $(FUZZ_OBJECTS) $(LDLIBS)

$(BUILD)/fuzz/%.o: %.c | $(GENERATED)
	@mkdir -p $(@D)
	$(CCACHE) $(CLANG) $(CPPFLAGS) -std=gnu17 $(FUZZ_FLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/fuzz/proto/%.o: $(BUILD)/proto/%.c
	@mkdir -p $(@D)
	$(CCACHE) $(CLANG) -std=gnu17 $(FUZZ_FLAGS) -MMD -MP -c -o $@ $<

format:
	clang-format -i $$(git ls-files -co --exclude-standard '*.c' '*.h')

format-check:
	clang-format --dry-run -Werror $$(git ls-files -co --exclude-standard '*.c' '*.h')

install: all
	install -D -m 755 $(BUILD)/kvmperf $(DESTDIR)$(PREFIX)/sbin/kvmperf
	install -D -m 644 man/kvmperf.8 $(DESTDIR)$(PREFIX)/share/man/man8/kvmperf.8

clean:
	rm -rf $(BUILD)

-include $(FUZZ_OBJECTS:.o=.d) $(OBJECTS:.o=.d) $(TESTS:=.d) $(KVMLOAD_OBJECTS:.o=.d) $(BUILD)/src/main.d \
	$(wildcard $(BUILD)/bench/*.d)
