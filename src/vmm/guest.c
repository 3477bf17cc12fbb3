/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmm/guest.h"

#include "vmm/mailbox.h"

#define STRING_(x)	 #x
#define STRING(x)	 STRING_(x)
#define CONSTANT(symbol) "	.set	" #symbol ", " STRING(symbol) "\n"

/* The C constants that the assembly below uses. */
__asm__(CONSTANT(MAILBOX_SLICE_TICKS));
__asm__(CONSTANT(MAILBOX_SLICES));
__asm__(CONSTANT(MAILBOX_GAP_TICKS));
__asm__(CONSTANT(MAILBOX_SPIN));
__asm__(CONSTANT(MAILBOX_KERNEL_EXIT));
__asm__(CONSTANT(MAILBOX_STALL_TICKS));
__asm__(CONSTANT(MAILBOX_GUEST_TICKS));
__asm__(CONSTANT(MAILBOX_GAP_SUM));
__asm__(CONSTANT(MAILBOX_GAPS));
__asm__(CONSTANT(MAILBOX_EXIT_TICKS));
__asm__(CONSTANT(MAILBOX_KERNEL_EXITS));
__asm__(CONSTANT(MAILBOX_STEPS));
__asm__(CONSTANT(MAILBOX_BURSTS));
__asm__(CONSTANT(MAILBOX_STALL_SUM));
__asm__(CONSTANT(MAILBOX_CPUID));
__asm__(CONSTANT(VMM_PORT_DONE));
__asm__(CONSTANT(VMM_PORT_KICK));

/*
 * RDI is the mailbox, RSI the slices left of the burst, R9 the ticks left of the slice, R10 the
 * TSC at the end of the last step.
 *
 * A burst is counted in the guest's own time, not until a moment: a step in which the TSC
 * advanced by more than MAILBOX_GAP_TICKS held an interrupt, an exit or a wait for the CPU and
 * does not count. So the sum stays true when other threads want the same CPU.
 */
__asm__("	.pushsection .rodata.vmm_guest, \"a\", @progbits\n"
	"	.macro	read_tsc\n" /* into RAX; changes RDX */
	"	rdtsc\n"
	"	shlq	$32, %rdx\n"
	"	orq	%rdx, %rax\n"
	"	.endm\n"

	"	.globl	vmm_guest_code, vmm_guest_code_end\n"
	"	.balign	16\n"
	"vmm_guest_code:\n"
	".Lburst:\n"
	"	movq	MAILBOX_SLICES(%rdi), %rsi\n"
	".Lslice:\n"
	"	movq	MAILBOX_SLICE_TICKS(%rdi), %r9\n"
	"	read_tsc\n"
	"	movq	%rax, %r10\n"
	".Lstep:\n"
	"	movq	MAILBOX_SPIN(%rdi), %rcx\n"
	".Lspin:\n"
	"	decq	%rcx\n"
	"	jnz	.Lspin\n"
	"	incq	MAILBOX_STEPS(%rdi)\n"
	"	read_tsc\n"
	"	movq	%rax, %rdx\n"
	"	subq	%r10, %rdx\n"
	"	movq	%rax, %r10\n"
	"	cmpq	MAILBOX_GAP_TICKS(%rdi), %rdx\n"
	"	ja	.Lgap\n"
	"	addq	%rdx, MAILBOX_GUEST_TICKS(%rdi)\n"
	"	subq	%rdx, %r9\n"
	"	ja	.Lstep\n"
	"	decq	%rsi\n"
	"	jz	.Ldone\n"

	/* Between two slices: an exit that the kernel handles. */
	"	cmpq	$MAILBOX_CPUID, MAILBOX_KERNEL_EXIT(%rdi)\n"
	"	je	.Lcpuid\n"
	"	outb	%al, $VMM_PORT_KICK\n"
	"	jmp	.Lexited\n"
	".Lcpuid:\n"
	"	xorl	%eax, %eax\n"
	"	xorl	%ecx, %ecx\n"
	"	cpuid\n"
	".Lexited:\n"
	"	incq	MAILBOX_KERNEL_EXITS(%rdi)\n"
	"	read_tsc\n"
	"	subq	%r10, %rax\n"
	"	addq	%rax, MAILBOX_EXIT_TICKS(%rdi)\n"
	"	jmp	.Lslice\n"

	".Lgap:\n"
	"	addq	%rdx, MAILBOX_GAP_SUM(%rdi)\n"
	"	incq	MAILBOX_GAPS(%rdi)\n"
	"	cmpq	MAILBOX_STALL_TICKS(%rdi), %rdx\n"
	"	jbe	.Lstep\n"
	"	addq	%rdx, MAILBOX_STALL_SUM(%rdi)\n"
	"	jmp	.Lstep\n"

	".Ldone:\n"
	"	incq	MAILBOX_BURSTS(%rdi)\n"
	"	outb	%al, $VMM_PORT_DONE\n"
	"	jmp	.Lburst\n"
	"vmm_guest_code_end:\n"
	"	.popsection\n");
