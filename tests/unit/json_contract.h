/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_TESTS_JSON_CONTRACT_H
#define KVMPERF_TESTS_JSON_CONTRACT_H

/* Checks that a line of JSON is what the output contract says. Include after <cmocka.h>. */

#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The keys of the output contract (../shared/design.md, section 5), and what they may hold. */
struct key {
	const char *name;
	char type; /* s string, n number, i integer, b boolean, o object, a array */
	bool nullable;
};

#define KEYS(...) ((const struct key[]){__VA_ARGS__, {NULL, 0, false}})

static inline bool has_type(const json_t *value, const struct key *key)
{
	if (json_is_null(value))
		return key->nullable;
	switch (key->type) {
	case 's': return json_is_string(value);
	case 'n': return json_is_number(value);
	case 'i': return json_is_integer(value);
	case 'b': return json_is_boolean(value);
	case 'o': return json_is_object(value);
	case 'a': return json_is_array(value);
	default: return false;
	}
}

static inline void assert_keys(const json_t *object, const struct key *keys)
{
	assert_true(json_is_object(object));
	for (; keys->name; keys++) {
		const json_t *value = json_object_get(object, keys->name);
		if (!value)
			fail_msg("key %s is missing", keys->name);
		if (!has_type(value, keys))
			fail_msg("key %s has the wrong type", keys->name);
		/* No figure is below zero. */
		if (json_is_number(value))
			assert_true(json_number_value(value) >= 0);
	}
}

static inline double number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_number(value))
		fail_msg("%s is no number", key);
	return json_number_value(value);
}

static inline const char *string(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	if (!text)
		fail_msg("%s is no string", key);
	return text;
}

static inline void assert_near(double value, double expected)
{
	if (fabs(value - expected) > 1e-9 * fmax(1.0, fabs(expected)))
		fail_msg("%.9f is not %.9f", value, expected);
}

static inline double map_sum(const json_t *object, const char *key)
{
	json_t *map = json_object_get(object, key), *value;
	const char *name;
	double sum = 0;

	json_object_foreach(map, name, value)
	{
		assert_true(json_is_number(value));
		sum += json_number_value(value);
	}
	return sum;
}

static inline void assert_thread_follows_contract(const json_t *thread)
{
	static const char roles[] = " vcpu iothread vmm vhost kvm other ";
	char role[32];

	assert_keys(thread,
		    KEYS({"tid", 'i', false}, {"role", 's', false}, {"index", 'i', true},
			 {"name", 's', false}, {"guest_s", 'n', false}, {"vmm_s", 'n', false},
			 {"kernel_s", 'n', false}, {"ready_s", 'n', false}));
	snprintf(role, sizeof(role), " %s ", string(thread, "role"));
	assert_non_null(strstr(roles, role));
}

static inline void assert_vm_follows_contract(const json_t *vm)
{
	json_t *item;
	size_t i;
	double guest = 0, vmm = 0, kernel = 0, ready = 0;

	assert_keys(vm, KEYS({"name", 's', false}, {"id", 's', false}, {"pid", 'i', false},
			     {"vmm", 's', false}, {"uuid", 's', true}, {"vcpus", 'i', false},
			     {"taps", 'a', false}, {"guest_s", 'n', false},
			     {"guest_user_s", 'n', true}, {"guest_kernel_s", 'n', true},
			     {"vmm_s", 'n', false}, {"vmm_dsos", 'o', false},
			     {"kernel_s", 'n', false}, {"kernel_modules", 'o', false},
			     {"shared_s", 'n', false}, {"shared_modules", 'o', false},
			     {"hypervisor_s", 'n', false}, {"total_s", 'n', false},
			     {"ready_s", 'n', false}, {"halt_poll_s", 'n', true},
			     {"exits", 'i', true}, {"error95_s", 'o', false},
			     {"net", 'o', false}, {"threads", 'a', false}));
	assert_keys(json_object_get(vm, "error95_s"),
		    KEYS({"guest", 'n', false}, {"vmm", 'n', false}, {"kernel", 'n', false},
			 {"shared", 'n', false}, {"hypervisor", 'n', false}));
	assert_keys(json_object_get(vm, "net"),
		    KEYS({"rx_bytes", 'i', true}, {"rx_packets", 'i', true},
			 {"tx_bytes", 'i', true}, {"tx_packets", 'i', true}));
	json_array_foreach(json_object_get(vm, "taps"), i, item)
		assert_true(json_is_string(item));

	assert_near(map_sum(vm, "vmm_dsos"), number(vm, "vmm_s"));
	assert_near(map_sum(vm, "kernel_modules"), number(vm, "kernel_s"));
	assert_near(map_sum(vm, "shared_modules"), number(vm, "shared_s"));
	assert_near(number(vm, "hypervisor_s"),
		    number(vm, "vmm_s") + number(vm, "kernel_s") + number(vm, "shared_s"));
	assert_near(number(vm, "total_s"), number(vm, "guest_s") + number(vm, "hypervisor_s"));
	if (!json_is_null(json_object_get(vm, "guest_user_s")))
		assert_near(number(vm, "guest_user_s") + number(vm, "guest_kernel_s"),
			    number(vm, "guest_s"));
	json_array_foreach(json_object_get(vm, "threads"), i, item)
	{
		assert_thread_follows_contract(item);
		guest += number(item, "guest_s");
		vmm += number(item, "vmm_s");
		kernel += number(item, "kernel_s");
		ready += number(item, "ready_s");
	}
	assert_near(guest, number(vm, "guest_s"));
	assert_near(vmm, number(vm, "vmm_s"));
	assert_near(kernel, number(vm, "kernel_s"));
	assert_near(ready, number(vm, "ready_s"));
}

static inline void assert_follows_contract(const json_t *line)
{
	const json_t *host = json_object_get(line, "host");
	json_t *vm;
	size_t i;

	assert_keys(line, KEYS({"schema", 's', false}, {"start", 'n', false},
			       {"duration_s", 'n', false}, {"cpus", 'i', false},
			       {"capacity_s", 'n', false}, {"source", 'o', false},
			       {"vms", 'a', false}, {"host", 'o', false},
			       {"self_s", 'n', false}, {"idle_s", 'n', false}));
	assert_string_equal(string(line, "schema"), "kvmperf.interval/1");
	assert_keys(json_object_get(line, "source"),
		    KEYS({"collector", 's', false}, {"event", 's', false},
			 {"frequency_hz", 'i', false}, {"samples", 'i', false},
			 {"lost", 'i', false}, {"exact", 'b', false}, {"apportion", 's', false},
			 {"irqs_off_correction", 's', false}, {"exit_cost_factor", 'n', true},
			 {"overhead_s", 'n', false}));
	assert_keys(host, KEYS({"processes_s", 'n', false}, {"kernel_s", 'n', false},
			       {"shared_unattributed_s", 'n', false}));

	double sum = number(host, "processes_s") + number(host, "kernel_s") +
		     number(host, "shared_unattributed_s") + number(line, "self_s") +
		     number(line, "idle_s");
	json_array_foreach(json_object_get(line, "vms"), i, vm)
	{
		assert_vm_follows_contract(vm);
		sum += number(vm, "total_s");
	}
	assert_near(sum / number(line, "capacity_s"), 1.0);
}

#endif
