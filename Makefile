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
CPPFLAGS += -D_GNU_SOURCE -DKVMPERF_VERSION='"$(VERSION)"' -Isrc -isystem $(BUILD)/bpf
ALL_CFLAGS = -std=gnu17 $(WARNINGS) $(CFLAGS) $(SANFLAGS) -MD -MP
LDLIBS  = -lbpf -ljansson -lelf -lzstd -lz -lm -lpthread

BPF_SOURCES := $(wildcard src/bpf/*.bpf.c)
SKELETONS   := $(BPF_SOURCES:src/bpf/%.bpf.c=$(BUILD)/bpf/%.skel.h)
SOURCES     := $(filter-out %.bpf.c src/main.c,$(shell find src -name '*.c' | sort))
OBJECTS     := $(SOURCES:%.c=$(BUILD)/%.o)
LIBRARY     := $(BUILD)/libkvmperf.a

TEST_SOURCES := $(sort $(wildcard tests/unit/*_test.c tests/golden/*_test.c tests/live/*_test.c))
TESTS        := $(TEST_SOURCES:%.c=$(BUILD)/%)
KVMLOAD_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tests/kvmload/*.c)))

ARCH := $(shell uname -m | sed 's/x86_64/x86/;s/aarch64/arm64/')

.PHONY: all tests demo check bench format format-check clean install
.SECONDARY:

all: $(BUILD)/kvmperf

demo:
	@scripts/demo.sh

check:
	@scripts/check.sh

bench:
	@scripts/setup.sh bench
	@$(MAKE) --no-print-directory -s -j2 all $(BUILD)/kvmload
	@bench/run.sh $(BUILD)

tests: all $(TESTS) $(BUILD)/kvmload $(BUILD)/tap_traffic $(BUILD)/softirq_time

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

$(BUILD)/%.o: %.c | $(SKELETONS)
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

format:
	clang-format -i $$(git ls-files -co --exclude-standard '*.c' '*.h')

format-check:
	clang-format --dry-run -Werror $$(git ls-files -co --exclude-standard '*.c' '*.h')

install: all
	install -D -m 755 $(BUILD)/kvmperf $(DESTDIR)$(PREFIX)/sbin/kvmperf
	install -D -m 644 man/kvmperf.8 $(DESTDIR)$(PREFIX)/share/man/man8/kvmperf.8

clean:
	rm -rf $(BUILD)

-include $(OBJECTS:.o=.d) $(TESTS:=.d) $(KVMLOAD_OBJECTS:.o=.d) $(BUILD)/src/main.d
