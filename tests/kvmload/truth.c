/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "truth.h"

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"

static json_t *seconds(uint64_t ns)
{
	return json_real((double)ns / (double)NS_PER_S);
}

static json_t *seconds_if(bool known, uint64_t ns)
{
	return known ? seconds(ns) : json_null();
}

static json_t *count(uint64_t number)
{
	return json_integer((json_int_t)number);
}

/* CPU time that is none of the three: VM entries and exits, interrupts, the loops themselves.
 */
static json_t *overhead(bool known, uint64_t cpu_ns, uint64_t accounted_ns)
{
	return known ? json_real(((double)cpu_ns - (double)accounted_ns) / (double)NS_PER_S)
		     : json_null();
}

static json_t *thread_object(const struct thread_truth *thread, bool cpu_known)
{
	const struct thread_account *account = &thread->account;
	uint64_t accounted = thread->guest_ns + account->user_ns + account->kernel_ns;
	bool exits_known =
		cpu_known && account->role == THREAD_VCPU && thread->kvm_exits != UINT64_MAX;

	return json_pack(
		"{s:i, s:s, s:i, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
		"s:o, s:o, s:o}",
		"tid", account->tid, "role", thread_role_name(account->role), "index",
		account->index, "name", account->name, "guest_s", seconds(thread->guest_ns),
		"user_s", seconds(account->user_ns), "kernel_s", seconds(account->kernel_ns),
		"sleep_s", seconds(account->sleep_ns), "cpu_s",
		seconds_if(cpu_known, thread->cpu_ns), "overhead_s",
		overhead(cpu_known, thread->cpu_ns, accounted), "ready_s",
		seconds_if(cpu_known, thread->ready_ns), "guest_gap_s",
		seconds(thread->guest_gap_ns), "user_gap_s", seconds(account->user_gap_ns),
		"exits", count(account->io_exits + thread->kernel_exits), "kvm_exits",
		exits_known ? count(thread->kvm_exits) : json_null(), "progress",
		count(thread->steps));
}

static void add_thread(struct thread_truth *sum, const struct thread_truth *thread)
{
	sum->account.user_ns += thread->account.user_ns;
	sum->account.user_gap_ns += thread->account.user_gap_ns;
	sum->account.kernel_ns += thread->account.kernel_ns;
	sum->account.sleep_ns += thread->account.sleep_ns;
	sum->account.io_exits += thread->account.io_exits;
	sum->account.tap_packets += thread->account.tap_packets;
	sum->account.tap_dropped += thread->account.tap_dropped;
	sum->account.disk_reads += thread->account.disk_reads;
	sum->guest_ns += thread->guest_ns;
	sum->guest_gap_ns += thread->guest_gap_ns;
	sum->guest_stall_ns += thread->guest_stall_ns;
	sum->kernel_exits += thread->kernel_exits;
	sum->exit_ns += thread->exit_ns;
	sum->steps += thread->steps;
	sum->ready_ns += thread->ready_ns;
	if (thread->account.role == THREAD_VCPU)
		sum->kvm_exits = sum->kvm_exits == UINT64_MAX || thread->kvm_exits == UINT64_MAX
					 ? UINT64_MAX
					 : sum->kvm_exits + thread->kvm_exits;
}

static json_t *tap_object(const struct plan *plan, const struct thread_account *sum)
{
	json_t *names;

	if (plan->tap_count == 0)
		return json_null();
	names = json_array();
	for (unsigned i = 0; i < plan->tap_count; i++)
		json_array_append_new(names, json_string(plan->taps[i]));
	return json_pack("{s:o, s:o, s:o, s:o}", "names", names, "packets",
			 count(sum->tap_packets), "bytes",
			 count(sum->tap_packets * plan->tap_bytes), "dropped",
			 count(sum->tap_dropped));
}

json_t *truth_vm(const struct vm_state *state, const struct vm_truth *truth,
		 const struct vm_end *end)
{
	const struct plan *plan = &state->plan;
	struct thread_truth sum = {0};
	json_t *threads = json_array();
	bool known = truth->cpu_known;
	uint64_t accounted;

	for (unsigned i = 0; i < truth->thread_count; i++) {
		add_thread(&sum, &truth->threads[i]);
		json_array_append_new(threads, thread_object(&truth->threads[i], known));
	}
	accounted = sum.guest_ns + sum.account.user_ns + sum.account.kernel_ns;
	return json_pack(
		"{s:s, s:i, s:s?, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
		"s:o, s:o, s:o, s:o, s:o, s:o, s:f, s:f, s:o, s:o, s:o}",
		"name", plan->name, "pid", state->threads[0].tid, "uuid",
		plan->uuid[0] ? plan->uuid : NULL, "guest_s", seconds(sum.guest_ns), "user_s",
		seconds(sum.account.user_ns), "kernel_s", seconds(sum.account.kernel_ns),
		"sleep_s", seconds(sum.account.sleep_ns), "cpu_s",
		seconds_if(known, truth->cpu_ns), "overhead_s",
		overhead(known, truth->cpu_ns, accounted), "ready_s",
		seconds_if(known, sum.ready_ns), "guest_gap_s", seconds(sum.guest_gap_ns),
		"guest_stall_s", seconds(sum.guest_stall_ns), "user_gap_s",
		seconds(sum.account.user_gap_ns), "exit_s", seconds(sum.exit_ns), "exits",
		count(sum.account.io_exits + sum.kernel_exits), "io_exits",
		count(sum.account.io_exits), "kernel_exits", count(sum.kernel_exits),
		"kvm_exits",
		known && sum.kvm_exits != UINT64_MAX ? count(sum.kvm_exits) : json_null(),
		"progress", count(sum.steps), "tap", tap_object(plan, &sum.account),
		"disk_reads", count(sum.account.disk_reads), "start", truth->start, "end",
		truth->time, "lifetime_cpu_s",
		end ? json_real(end->lifetime_cpu_s) : json_null(), "killed",
		end && end->killed ? json_integer(end->killed) : json_null(), "threads",
		threads);
}

int truth_print(const json_t *value, FILE *file, size_t indent)
{
	if (json_dumpf(value, file, JSON_REAL_PRECISION(15) | JSON_INDENT(indent)) < 0 ||
	    fputc('\n', file) == EOF || fflush(file) == EOF)
		return -EIO;
	return 0;
}
