/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/recording_times.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "report/time_window.h"

static int no_memory(struct error *error)
{
	return error_set(error, -ENOMEM, "no memory for the recording's times");
}

static int take_section(struct recording_times *times, struct error *error)
{
	const struct perf_data_features *features = perf_data_features(times->recording->data);

	if (!features->kvmperf)
		return 0;
	int code = recorded_facts_take(&times->facts, features->kvmperf,
				       features->kvmperf_length, &times->left_out);
	/* The samples can do without. */
	return code == -ENOMEM ? no_memory(error) : 0;
}

/* A file without the section has what was known from interval to interval between its samples.
 */
static int take_text(void *context, const char *text, size_t length, struct error *error)
{
	struct recording_times *times = context;
	struct profile *profile = times->recording->profile;
	struct error reason = {0};
	size_t before, after;

	recorded_facts_vms(times->facts, &before);
	int code = recorded_facts_take(&times->facts, text, length, &reason);
	if (code == -ENOMEM)
		return error_set(error, code, "%s", reason.message);
	if (code)
		return perf_data_fail(times->recording->data, code, error, "%s",
				      reason.message);
	/* Guests whose symbols were named may be known only now. */
	recorded_facts_vms(times->facts, &after);
	if (after != before)
		profile->resolver.version++;
	return recorded_facts_sum(times->facts, profile->start_ns, profile->stop_ns,
				  &times->times)
		       ? no_memory(error)
		       : 0;
}

int recording_times_open(struct recording_times *times, struct recording *recording,
			 const char *time, struct error *error)
{
	const struct perf_data_features *features = perf_data_features(recording->data);
	struct profile *profile = recording->profile;

	times->recording = recording;
	recording->take_text = take_text;
	recording->take_text_context = times;
	int code = take_section(times, error);
	if (!code && time)
		code = time_window_parse(time, features->first_ns, features->last_ns,
					 &profile->start_ns, &profile->stop_ns, error);
	if (code || !times->facts)
		return code;
	if (recorded_facts_sum(times->facts, profile->start_ns, profile->stop_ns,
			       &times->times))
		return no_memory(error);
	/*
	 * Exact times are of whole intervals: a window is made of those that lie in it. Of all
	 * of the recording the few samples from before the first one count, too.
	 */
	if (time && times->times.end_ns) {
		profile->start_ns = times->times.start_ns;
		profile->stop_ns = times->times.end_ns;
	}
	return 0;
}

static void use_exact_times(const struct recorded_times *exact,
			    const struct calibration *calibration, struct report_input *input)
{
	input->times = exact;
	/* Costs are those of samples of one event, and nothing without exits. */
	if (calibration && strcmp(calibration->event, input->event) == 0 &&
	    (exact->exits.count || !exact->counter_count))
		input->calibration = calibration;
	if (exact->cpus)
		input->cpus = exact->cpus;
	input->unowned.counts[TRAFFIC_HOST][TRAFFIC_RECEIVED] =
		(struct traffic_count){exact->unowned_packets, exact->unowned_bytes};
}

int recording_times_describe(struct recording_times *times, struct report_input *input,
			     struct error *error)
{
	const struct recording *recording = times->recording;
	const struct perf_data_features *features = perf_data_features(recording->data);
	const struct profile *profile = recording->profile;
	uint64_t start = profile->first_ns;
	double ns;

	input->collector = "perf.data";
	input->event = recording->event_name;
	input->frequency_hz = (unsigned)recording->frequency_hz;
	input->cpus = features->cpus_online ? features->cpus_online : profile->cpus_seen;
	input->facts = times->facts;
	if (times->times.end_ns) {
		use_exact_times(&times->times, recorded_facts_calibration(times->facts), input);
		start = times->times.start_ns;
		ns = (double)(times->times.end_ns - start);
	} else if (profile->samples && profile->first_ns != UINT64_MAX) {
		ns = (double)(profile->last_ns - profile->first_ns) + profile->period_ns;
	} else {
		/* No times: as long as its samples. */
		ns = profile->period_ns * (double)profile->samples /
		     (double)(input->cpus ? input->cpus : 1);
	}
	input->start = recorded_facts_wall(times->facts, start);
	if (isnan(input->start) && features->wall_ns)
		input->start = (double)features->wall_ns / 1e9 +
			       ((double)start - (double)features->clock_ns) / 1e9;
	return report_set_duration(input, ns, error);
}

void recording_times_clear(struct recording_times *times)
{
	recorded_times_clear(&times->times);
	recorded_facts_free(times->facts);
	*times = (struct recording_times){0};
}
