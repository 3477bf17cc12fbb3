/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "symbols/kernel_names.h"

/*
 * Landmarks of the kernel's text. A name that ends in '_' is a prefix (leading underscores of
 * the symbol don't count), any other is a whole symbol; "sys_read" stands for all entry points
 * of that system call. A module that may be built in goes by its module name, other code by
 * its directory: fs/ext4 is "ext4", arch/x86/mm is "mm", lib/crypto is "crypto".
 *
 * The whole symbols were chosen so that each subsystem's first and last functions in link
 * order are known, and defined in one file only. Checked against the sources of Linux 6.1 and
 * 6.12 and the symbols of x86-64 kernels 6.1, 6.12 and 6.18, by two compilers and in three
 * configurations.
 */
const struct kernel_name_set kernel_name_sets[] = {
	{"9p", "v9fs_"},
	{"9pnet", "p9_"},
	{"accessibility",
	 "braille_register_console braille_unregister_console braille_write vc_refresh"},
	{"acpi",
	 "acpi_bus_ acpi_dev_get_ acpi_device_ acpi_ds_ acpi_ec_ acpi_ev_ acpi_evaluate_ "
	 "acpi_ex_ acpi_fwnode_ acpi_hw_ acpi_install_ acpi_irq_ acpi_lpss_ acpi_nhlt_ "
	 "acpi_ns_ acpi_os_ acpi_parse_ acpi_pci_link_ acpi_power_ acpi_processor_ acpi_ps_ "
	 "acpi_rs_ acpi_s2idle_ acpi_scan_ acpi_subsys_ acpi_table_ acpi_tb_ acpi_thermal_ "
	 "acpi_ut_ apei_exec_ cppc_get_ erst_ ghes_ hmat_ acpi_idle_do_entry "
	 "acpi_idle_enter_s2idle acpi_idle_lpi_enter acpi_register_ioapic acpi_safe_halt "
	 "amd_get_highest_perf int340x_thermal_handler_attach "
	 "intel_pmic_install_opregion_handler"},
	{"ata", "ahci_ ata_"},
	{"audit",
	 "audit_log_ __audit_fanotify audit_kill_trees audit_panic kauditd_rehold_skb"},
	{"autofs", "autofs_"},
	{"block",
	 "bd_ bfq_ bfqg_ bio_ blk_integrity_ blk_mq_ blk_queue_ blk_rq_ blk_stat_ blk_zone_ "
	 "blkcg_ blkdev_ blkg_ bsg_ dd_ deadline_ disk_ elevator_ elv_ hctx_ ioc_ iocg_ "
	 "kyber_ part_ queue_max_ rq_qos_ throtl_ wbt_"},
	{"bnxt_en", "bnxt_"},
	{"bonding", "bond_"},
	{"bpf",
	 "arena_ array_ bloom_ bpf_cgroup_ bpf_cpumask_ bpf_dummy_ bpf_fentry_ bpf_jit_ "
	 "bpf_kfunc_ bpf_link_ bpf_list_ bpf_local_ bpf_lru_ bpf_lsm_ bpf_map_ bpf_mem_ "
	 "bpf_offload_ bpf_percpu_ bpf_prog_array_ bpf_prog_offload_ bpf_prog_test_ "
	 "bpf_ringbuf_ bpf_selem_ bpf_struct_ bpf_token_ bpf_tramp_ bpf_trampoline_ btf_ "
	 "cgroup_bpf_ cgroup_storage_ dev_map_ htab_ prog_ queue_stack_ reuseport_array_ "
	 "ringbuf_ stack_map_ tnum_ __bpf_call_base __bpf_prog_enter_recur "
	 "__bpf_prog_exit_recur bpf_ksym_find ex_handler_bpf lookup_nulls_elem_raw "
	 "pop_callee_regs"},
	{"bridge",
	 "br_ ebt_ fdb_ multicast_ ageing_time_show ip_sabotage_in nf_call_iptables_show "
	 "nf_call_iptables_store set_group_fwd_mask"},
	{"btrfs", "btrfs_ extent_ qgroup_ scrub_ ulist_"},
	{"ceph", "ceph_"},
	{"cgroup",
	 "cgroup1_ cgroup_file_ cgroup_rstat_ cpuset_ css_ freezer_ misc_cg_ pids_ rdmacg_ "
	 "cgroup_exit_cftypes cpuset1_update_task_spread_flags of_css proc_cpuset_show"},
	{"char",
	 "agp_ crb_ intel_fake_ intel_gmch_ tpm1_ tpm2_ tpm_ ipmi_dmi_get_slave_addr "
	 "ipmi_platform_add misc_deregister mmap_mem open_port read_iter_zero read_null "
	 "read_zero virtio_read"},
	{"clk", "clk_ devm_clk_ gpio_clk_driver_probe plt_clk_probe"},
	{"connector", "cn_queue_release_callback proc_exit_connector"},
	{"cpufreq", "amd_pstate_ intel_cpufreq_ intel_pstate_ cpufreq_supports_freq_invariance "
		    "disable_cpufreq gov_attr_set_init have_governor_per_policy"},
	{"cpuidle", "cpuidle_ haltpoll_ intel_idle_ibrs intel_idle_s2idle"},
	{"crypto",
	 "acomp_ ahash_ alg_ asymmetric_key_ bpf_crypto_lskcipher_ crypto_ dh_safe_ drbg_ "
	 "ecc_ ecdsa_ hmac_sha512_ jent_ lskcipher_ md5_ pkcs1pad_ pkcs7_ restrict_link_by_ "
	 "rsa_ sha1_ sha256_ sha512_ shash_ skcipher_ vli_ x509_ xts_ "
	 "blacklist_vet_description blake2s_compress blake2s_compress_ssse3 "
	 "chacha_block_generic chacha_permute mark_hash_blacklisted mpi_add mpi_cmp_ui "
	 "mpi_copy mpi_mul mpi_powm mpi_read_buffer mpi_read_raw_from_sgl mpi_subm "
	 "mpi_tdiv_qr mpih_sqr_n mpihelp_add_n mpihelp_lshift mpihelp_mul_1 "
	 "mpihelp_release_karatsuba_ctx sha224_init"},
	{"cxl", "cxl_ devm_cxl_ to_cxl_"},
	{"dax", "dax_recovery_write devm_create_dev_dax"},
	{"debugfs",
	 "debugfs_create_ full_proxy_ debugfs_initialized debugfs_lookup_and_remove"},
	{"devfreq", "devm_devfreq_ devfreq_resume devfreq_suspend"},
	{"devpts", "devpts_"},
	{"dma", "dma_common_ dma_direct_ dmaengine_ dw_dma_ dwc_ hsu_ idma32_ swiotlb_ "
		"dma_find_channel dma_pci_p2pdma_supported dma_pgprot dma_sync_wait"},
	{"dma-buf",
	 "dma_buf_ dma_fence_ dma_resv_ system_heap_ sync_file_create sync_file_get_name "
	 "sync_file_ioctl unmap_udmabuf"},
	{"dpll", "dpll_"},
	{"drivers",
	 "attribute_container_ auxiliary_ component_ dev_pm_domain_ dev_pm_qos_ devcd_ "
	 "device_link_ device_links_ device_match_ device_pm_ device_property_ "
	 "device_remove_ devm_regmap_ devres_ fw_devlink_ fwnode_graph_ fwnode_property_ "
	 "isa_ platform_msi_ pm_clk_ pm_generic_ regcache_ regmap_ rpm_ software_node_ "
	 "subsys_ transport_ wakeup_source_ wakeup_sources_ mac_hid_emumouse_connect "
	 "mac_hid_emumouse_disconnect"},
	{"drm", "drm_ gpu_ mipi_ vga_switcheroo_"},
	{"e1000", "e1000_"},
	{"e1000e", "e1000e_"},
	{"edac", "csrow_ dimmdev_ edac_ mci_"},
	{"ena", "ena_"},
	{"entry",
	 "asm_ entry_ __switch_to_asm _paravirt_nop arch_get_vdso_data clear_bhb_loop "
	 "common_interrupt_return do_SYSENTER_32 do_int80_emulation do_syscall_64 "
	 "end_repeat_nmi error_entry error_return exit_to_user_mode_loop ia32_sys_call "
	 "in_gate_area_no_mm int80_emulation irq_entries_start irqentry_enter "
	 "native_irq_return_iret native_irq_return_ldt nmi_restore nop_func paranoid_entry "
	 "paranoid_exit paravirt_ret0 pvm_error_entry raw_irqentry_exit_cond_resched "
	 "restore_regs_and_return_to_kernel ret_from_fork ret_from_fork_asm "
	 "spurious_entries_start swapgs_restore_regs_and_return_to_usermode "
	 "syscall_enter_from_user_mode_prepare syscall_return_via_sysret "
	 "syscall_trace_enter sysret32_from_system_call vdso_mremap vvar_fault x32_sys_call "
	 "x64_sys_call x86_verw_sel xen_error_entry xfer_to_guest_mode_handle_work"},
	{"erofs", "erofs_ z_erofs_"},
	{"ext4", "ext4_ __es_remove_extent call_filldir ext4fs_dirhash htree_dirblock_to_tree "
		 "mpage_process_page_bufs str2hashbuf_signed"},
	{"f2fs", "f2fs_"},
	{"firmware", "coreboot_ dmi_sysfs_ efi_earlycon_ virt_efi_ cper_print_proc_ia "
		     "dmi_get_system_info firmware_map_remove range_contains_unaccepted_memory "
		     "vmgenid_add"},
	{"fs",
	 "aio_ anon_inode_ backing_file_ bad_inode_ dax_iomap_ dquot_ ep_ eventfd_ "
	 "fanotify_ fs_param_ fscrypt_ fsnotify_ fsverity_ init_fs_ inotify_ iomap_ locks_ "
	 "mb_cache_ mnt_ nsfs_ pidfs_ posix_acl_ seq_hlist_ simple_xattr_ timerfd_ vfs_ "
	 "__d_lookup_rcu __fput alloc_fd anon_pipe_buf_release block_commit_write "
	 "current_time dnotify_flush do_dentry_open do_epoll_wait "
	 "drop_caches_sysctl_handler dump_skip_to exportfs_encode_inode_fh fdget fdget_pos "
	 "fdget_raw filldir64 filp_close find_get_block_common find_inode_fast "
	 "folio_init_buffers fput generic_file_open generic_permission inode_set_flags "
	 "ksys_read ksys_write load_nls_default mark_buffer_dirty quota_send_warning "
	 "quota_sync_one rw_verify_area simple_acl_create simple_set_acl sys_epoll_wait "
	 "sys_write walk_component"},
	{"fuse", "fuse_ virtio_fs_"},
	{"futex", "futex_ do_futex get_futex_key sys_futex"},
	{"gpio",
	 "acpi_gpio_ acpi_gpiochip_ devm_gpiod_ gpio_ gpiochip_ gpiod_ gpiolib_ lineevent_ "
	 "linehandle_ linereq_ swnode_find_gpio swnode_gpio_count"},
	{"gve", "gve_"},
	{"hid", "hid_ hidinput_ hidraw_"},
	{"hugetlbfs", "hugetlbfs_ generic_hugetlb_get_unmapped_area hugetlb_file_setup"},
	{"hv_netvsc", "netvsc_ rndis_"},
	{"hwmon", "hwmon_"},
	{"hyperv", "hv_apicid_to_vp_index hv_call_create_vp hv_common_cpu_die "
		   "hv_is_hyperv_initialized hv_setup_dma_ops hv_vcpu_is_preempted"},
	{"i2c", "dw_i2c_ i2c_"},
	{"i40e", "i40e_"},
	{"ice", "ice_"},
	{"igb", "igb_"},
	{"igc", "igc_"},
	{"init", "calibrate_delay do_one_initcall name_to_dev_t run_init_process "
		 "trace_initcall_finish_cb try_to_run_init_process wait_for_initramfs"},
	{"input", "atkbd_ evdev_ i8042_ input_dev_ input_ff_ input_mt_ mousedev_ ps2_ serio_ "
		  "input_match_device_id input_proc_exit input_scancode_to_scalar "
		  "xenkbd_backend_changed xenkbd_probe"},
	{"io_uring",
	 "io_eventfd_ io_futex_ io_msg_ io_poll_ io_prep_ io_queue_ io_register_ io_req_ "
	 "io_rsrc_ io_sq_ io_uring_ io_waitid_ io_wq_ io_napi_sqpoll_busy_poll "
	 "io_unregister_napi"},
	{"iommu",
	 "amd_iommu_ cache_tag_ intcapxt_ intel_iommu_ intel_pasid_ intel_svm_ iommu_ iopf_ "
	 "irq_remapping_ irte_ qi_ init_iova_domain iova_rcache_range"},
	{"ipc", "compat_ksys_ mqueue_ shm_ sysvipc_ get_compat_ipc64_perm retire_mq_sysctls "
		"sys_mq_getsetattr to_compat_ipc_perm"},
	{"ipvlan", "ipvlan_"},
	{"irq",
	 "devm_irq_ fred_sysvec_ irq_affinity_ irq_chip_ irq_domain_ irq_gc_ irq_get_ "
	 "irq_matrix_ irq_set_ msi_domain_ sysvec_ tasklet_ __common_interrupt __do_IRQ "
	 "__do_softirq __irq_alloc_descs __local_bh_enable_ip actions_show call_irq_handler "
	 "common_interrupt do_softirq handle_edge_irq handle_softirqs irq_enter_rcu "
	 "irq_kobj_release irq_work_sync irq_work_tick open_softirq"},
	{"irqbypass", "irq_bypass_register_producer irq_bypass_unregister_consumer"},
	{"ixgbe", "ixgbe_"},
	{"jbd2", "jbd2_ stop_this_handle wait_transaction_locked"},
	{"kernel",
	 "delayacct_ hardlockup_ kimage_ kthread_ lockup_ padata_ relay_ static_key_ "
	 "task_work_ __rseq_handle_notify_resume __static_call_return0 __task_pid_nr_ns "
	 "__usermodehelper_disable _cpu_down alloc_uid arch_touch_nmi_watchdog "
	 "compat_put_bitmap copy_regset_to_user ct_idle_exit ct_irq_exit current_in_userns "
	 "dup_mmap exit_task_namespaces free_uts_ns get_task_mm get_task_pid "
	 "groups16_to_user groups_alloc is_current_pgrp_orphaned kernel_wait make_kuid "
	 "map_id_range_down may_setgroups pid_task profile_hits profile_setup "
	 "propagate_has_child_subreaper put_ucounts reboot_pid_ns release_resource "
	 "release_task reset_hung_task_detector retire_userns_sysctls setup_userns_sysctls "
	 "sort_range srcu_init_notifier_head stack_trace_save_user "
	 "static_call_text_reserved sys_getppid sys_gettid sys_getuid sys_kcmp "
	 "sys_ni_syscall sys_rseq syscall_unregfunc tgid_stats_add_task vhost_task_create "
	 "vhost_task_stop wait_consider_task"},
	{"kernfs", "kernfs_"},
	{"kprobes",
	 "kprobe_emulate_ arch_prepare_kprobe_ftrace get_kprobe kprobe_fault_handler "
	 "kprobe_free_init_mem"},
	{"kvm",
	 "em_ emulator_ ept_ kvm_ kvm_arch_ picdev_ tdp_ x86_emulate_ __do_insn_fetch_bytes "
	 "assign_eip decode_imm decode_operand emulate_pop emulate_push "
	 "fetch_register_operand init_decode_cache init_emulate_ctxt linearize "
	 "mark_page_dirty_in_slot nonpaging_gva_to_gpa read_emulate read_emulated "
	 "read_prepare rsp_increment segmented_write string_addr_inc vcpu_is_mmio_gpa "
	 "write_emulate writeback writeback_registers x86_decode_emulated_instruction "
	 "x86_decode_insn"},
	{"kvm_amd", "avic_ nested_svm_ sev_es_ sev_gmem_ svm_ pre_svm_run"},
	{"kvm_intel", "nested_vmx_ tdx_vcpu_ vmcs12_ vmcs_ vmx_ handle_ept_misconfig "
		      "handle_ept_violation intel_pmu_refresh pi_update_irte"},
	{"kvm_pvm", "nested_pvm_ pvm_"},
	{"leds", "devm_led_ led_ ledtrig_"},
	{"lib",
	 "FSE_ HUF_ LZ4_ ZSTD_ assoc_ ddebug_ fprop_ gen_pool_ insn_get_ iov_iter_ "
	 "irq_poll_ kfifo_ kobj_ns_ kobject_ linear_range_ mas_ mtree_ net_dim_ "
	 "percpu_counter_ pi__ radix_ raid6_ sbitmap_ seq_buf_ sg_ stack_depot_ "
	 "x86_indirect_ xa_ xas_ xz_ __get_user_1 __get_user_2 __get_user_4 __get_user_8 "
	 "__ioread32_copy __list_add_valid_or_report __list_del_entry_valid_or_report "
	 "__memcpy __memcpy_flushcache __memset __ndelay __put_user_8 __put_user_nocheck_4 "
	 "__put_user_nocheck_8 __rb_erase_color __rb_insert_augmented __x86_return_thunk "
	 "_copy_from_iter _copy_from_user _copy_mc_to_iter _copy_to_iter _copy_to_user "
	 "_find_first_bit argv_free btree_merge clear_page_erms copy_from_user_nmi "
	 "copy_mc_enhanced_fast_string copy_page copy_page_from_iter "
	 "copy_page_from_iter_atomic copy_page_to_iter crc32c csum_and_copy_from_iter "
	 "csum_and_copy_from_user csum_partial_copy_nocheck devm_ioport_unmap devm_ioremap "
	 "dim_on_top dim_turn do_trace_write_msr errname errseq_check_and_advance "
	 "errseq_sample fortify_panic glob_match_len group_cpus_evenly ioport_map iowrite16 "
	 "iowrite32 iowrite64be_lo_hi iowrite8 its_return_thunk lockref_get_not_dead "
	 "lockref_put_return mpi_ec_curve_point mpi_invm mpi_point_init mpi_print "
	 "msr_clear_bit msr_set_bit rational_best_approximation rb_insert_color rb_next "
	 "rb_next_postorder read_current_timer search_extable siphash_3u32 "
	 "srso_alias_return_thunk srso_alias_safe_ret srso_alias_untrain_ret "
	 "strncpy_from_user strnlen_user use_mwaitx_delay x86_family x86_model x86_stepping"},
	{"livepatch", "klp_"},
	{"locking",
	 "mutex_ raw_read_ raw_write_ ww_ _raw_spin_lock _raw_spin_lock_bh "
	 "_raw_spin_lock_irqsave _raw_spin_trylock _raw_spin_unlock _raw_spin_unlock_bh "
	 "_raw_spin_unlock_irq _raw_spin_unlock_irqrestore down_write down_write_killable "
	 "queued_read_lock_slowpath queued_write_lock_slowpath "
	 "resilient_queued_spin_lock_slowpath rt_mutex_base_init rt_mutex_postunlock "
	 "up_read up_write"},
	{"loop", "lo_"},
	{"macvlan", "macvlan_"},
	{"macvtap", "macvtap_"},
	{"mailbox", "mbox_ pcc_chan_reg_read_modify_write pcc_mbox_free_channel pcc_mbox_irq "
		    "pcc_mbox_request_channel"},
	{"md", "dm_ md_ raid10_ raid1_ raid5_"},
	{"mfd", "cht_wc_probe mfd_remove_devices_late"},
	{"misc", "eeprom_93cx6_ mei_"},
	{"mlx4", "mlx4_"},
	{"mlx5_core", "mlx5_ mlx5e_"},
	{"mm",
	 "advisor_ alloc_pages_ anon_vma_ balloon_page_ bdi_set_ cgwb_ compaction_ damon_ "
	 "damos_ filemap_ flush_tlb_ folio_add_ gup_ hmm_ huge_ hugepage_ hugetlb_cgroup_ "
	 "ioremap_ isolate_ kfence_ kmem_ ksm_ list_lru_ lru_ madvise_ mem_cgroup_ "
	 "memblock_ memcg1_ memcg_ mempool_ memtype_ migrate_device_ mlock_ mm_compaction_ "
	 "mm_vmscan_ mmu_notifier_ mpol_ obj_ page_counter_ pat_ prep_ ptdump_ pti_ pud_ "
	 "secretmem_ set_memory_ slab_ sme_ sparse_ split_huge_ vma_ vmemmap_ vmf_ "
	 "vmpressure_ vmstat_ walk_page_ wp_ zbud_ zone_ zpool_ zs_ zswap_ "
	 "__check_object_size __do_fault __folio_batch_add_and_move __folio_cancel_dirty "
	 "__handle_mm_fault __kmalloc_cache_noprof __kmalloc_node_track_caller_noprof "
	 "__kmalloc_noprof __lruvec_stat_mod_folio __mmap_region __page_reporting_notify "
	 "__pte_offset_map_lock __rmqueue_pcplist __virt_addr_valid addr_to_vb_xa "
	 "alloc_low_pages allocate_slab build_all_zonelists cachemode2protval charge_memcg "
	 "check_pte check_sparse_vm_area check_stack_object copy_from_kernel_nofault "
	 "copy_page_range cr4_set_bits_and_update_boot decode_vn_id do_wp_page "
	 "exc_page_fault fault_dirty_shared_page find_lock_entries find_vmap_area "
	 "finish_fault folio_alloc_noprof folio_isolate_lru folio_mapping "
	 "folio_mark_accessed folio_mark_dirty folio_remove_rmap_ptes folio_unlock "
	 "folios_put_refs free_area_init_core_hotplug free_pages_and_swap_cache "
	 "free_pgd_range free_pte free_unref_folios get_dev_pagemap get_mem_cgroup_from_mm "
	 "get_page_bootmem get_page_from_freelist get_task_policy get_vma_policy "
	 "handle_mm_fault init_memory_mapping insert_vmap_area is_vmalloc_addr "
	 "is_vmalloc_or_module_addr lock_mm_and_find_vma lock_next_vma lock_vma_under_rcu "
	 "memmap_init_zone_device next_uptodate_folio noop_dirty_folio page_vma_mapped_walk "
	 "pcpu_get_vm_areas pfn_to_online_page pgdat_page_ext_init policy_nodemask "
	 "refill_obj_stock refill_stock register_vmap_purge_notifier set_pte_range "
	 "shmem_add_to_page_cache shmem_alloc_and_add_folio shmem_alloc_folio "
	 "shmem_allowable_huge_orders shmem_fault shmem_get_folio_gfp "
	 "shmem_huge_global_enabled shmem_inode_acct_blocks shmem_recalc_inode show_ldttss "
	 "shrink_folio_list tlb_remove_table_smp_sync try_charge_memcg uncharge_folio "
	 "unlink_anon_vmas unmap_page_range update_cache_mode_entry vm_normal_page "
	 "vmalloc_nr_pages vmap_node_shrink_count"},
	{"module", "__request_module module_refcount print_modules same_magic"},
	{"net",
	 "addrconf_ bbr_ blackhole_ bpf_iter_tcp_ bpf_lwt_ bpf_sk_ bpf_skb_load_ bpf_skc_ "
	 "bpf_sock_ bpf_tcp_ bql_ calipso_ cipso_ cls_bpf_ clsact_ cmis_ cmp_nla_ cookie_ "
	 "cubictcp_ dcb_ dcbnl_ dev_change_ dev_mc_ dev_uc_ devl_ devlink_ dst_ "
	 "eafnosupport_ eth_ ethnl_ ethtool_ fib4_ fib6_ fib_ flow_ fq_codel_ genl_ gnet_ "
	 "gro_ handshake_ htb_ hw_addr_ ic_ if6_ ifb_ igmp6_ igmp_ inet6_ inet_ ingress_ "
	 "input_action_ ioam6_ ip6_datagram_ ip6_dst_ ip6_mc_ ip6_route_ ip6addrlbl_ ip6mr_ "
	 "ip_mc_ ip_route_ ip_rt_ ip_tun_ ip_tunnel_ ipmr_ ipv6_chk_ ipv6_mc_ ipv6_route_ "
	 "km_ l3mdev_ linkwatch_ llc_ lwtunnel_ mip6_ mld_ mptcp_ mr_ napi_ ndisc_ neigh_ "
	 "net_failover_ netdev_ netif_ netkit_ netlbl_ netlink_ netpoll_ nexthop_ nh_ "
	 "packet_ page_pool_ parse_nla_ pfifo_ ping_ pneigh_ pskb_ put_nla_ qdisc_ raw6_ "
	 "rawv6_ rt6_ rtm_ rtnl_ seg6_ sk_ skb_ snmp6_ sock_ strp_ subflow_ switchdev_ tbf_ "
	 "tc_ tcf_ tcp4_ tcp_ udp4_ udp6_ udp_ udpv6_ unix_ xfrm4_ xfrm6_ xfrm_ xp_ xsk_ "
	 "__alloc_skb __build_skb_around __dev_forward_skb2 __dev_queue_xmit __icmp_send "
	 "__ip_append_data __ip_dev_find __ip_local_out __ip_make_skb __ip_queue_xmit "
	 "__ip_select_ident __kfree_skb __release_sock __sys_sendto alloc_skb_with_frags "
	 "br_ip6_fragment csum_and_copy_to_iter dev_get_by_index_rcu dev_hard_start_xmit "
	 "dns_query enqueue_to_backlog fnhe_hashfun icmp_global_allow icmp_route_lookup "
	 "icmpv4_xrlim_allow ip_finish_output ip_finish_output2 ip_generic_getfrag "
	 "ip_output ip_protocol_deliver_rcu ip_rcv ip_rcv_core ip_rcv_finish_core "
	 "ip_send_check ip_send_skb ipv4_cow_metrics ipv4_mtu ipv6_netfilter_fini "
	 "is_skb_forwardable kfree_skbmem kmalloc_reserve loopback_xmit net_rx_action "
	 "nf_ip_route passthru_features_check process_backlog raw_local_deliver "
	 "register_dcbevent_notifier release_sock validate_xmit_skb vlan_dev_real_dev "
	 "vlan_do_receive"},
	{"netfilter",
	 "bitmap_ip_ bpf_nf_ cgroup_mt_ connmark_ conntrack_ ct_sip_ ctnetlink_ cttimeout_ "
	 "dscp_ ecn_ hash_ipportip4_ hash_ipportip6_ hash_ipportnet4_ hash_ipportnet6_ "
	 "hashlimit_ idletimer_ ip6t_ ip6table_ ip_set_ iptable_ l2tp_ list_set_ nf_ "
	 "nfnetlink_ nfnl_ nfqnl_ nft_ pipapo_ recent_ sctp_ set_match_ synproxy_ tcpmss_ "
	 "tproxy_ xt_ ip6_tables_net_exit ip6_tables_net_init mark_mt mark_tg tcp_mt_check "
	 "tcp_new tcp_nlattr_tuple_size tcp_options tcp_timeout_obj_to_nlattr udp_mt_check"},
	{"nfs", "nfs3_ nfs4_ nfs_"},
	{"nfsd", "nfsd4_ nfsd_"},
	{"nvdimm", "nd_ nvdimm_ __pmem_direct_access async_pmem_flush"},
	{"nvme", "nvme_"},
	{"nvmem", "devm_nvmem_ nvmem_"},
	{"openvswitch", "ovs_"},
	{"opp", "dev_pm_opp_ opp_"},
	{"overlay", "ovl_"},
	{"pci",
	 "acpiphp_ asus_ cpci_ dpc_ hpc_ l1_ pci_acpi_ pci_bridge_ pci_bus_ pci_dev_ "
	 "pci_disable_ pci_doe_ pci_enable_ pci_find_ pci_fixup_ pci_get_ pci_iov_ pci_irq_ "
	 "pci_mmcfg_ pci_pm_ pci_quirk_ pci_read_ pci_reset_ pci_restore_ pci_scan_ "
	 "pci_set_ pci_setup_ pci_vpd_ pci_write_ pcibios_ pcie_ pciehp_ pcim_ "
	 "quirk_disable_ quirk_no_ shpchp_ sriov_ pci_idt_bus_quirk pci_notify "
	 "read_pci_config update_res vga_arbiter_add_pci_device vga_set_default_device "
	 "vga_update_device_decodes"},
	{"perf",
	 "adl_ amd_pmu_ amd_uncore_ bts_ cstate_ hswep_ icx_ intel_generic_ intel_pmu_ "
	 "intel_uncore_ ivbep_ nhmex_ p4_ perf_ibs_ perf_mmap_ perf_output_ perf_pmu_ "
	 "perf_swevent_ pt_event_ rapl_ snb_ snbep_ snr_ spr_ uncore_ x86_pmu_ zhaoxin_ "
	 "__perf_event_task_sched_in __perf_event_task_sched_out get_callchain_buffers "
	 "msr_event_start perf_event_addr_filters_sync perf_event_create_kernel_counter "
	 "perf_event_release_kernel perf_iommu_read ring_buffer_get ring_buffer_put "
	 "uprobe_post_sstep_notifier"},
	{"phy", "devm_phy_ phy_ sfp_ mdiobus_setup_mdiodev_from_board_info "
		"register_mii_tstamp_controller"},
	{"pinctrl",
	 "amd_gpio_ byt_gpio_ chv_ devm_pinctrl_ intel_gpio_ pinconf_ pinctrl_ pinmux_ "
	 "intel_config_get intel_config_set intel_pin_dbg_show intel_pinctrl_resume_noirq"},
	{"platform", "cros_ intel_scu_ itmt_legacy_work_fn p2sb_bar p2sb_read_bar0"},
	{"pmdomain", "dev_pm_genpd_ genpd_ cpu_power_down_ok dev_to_genpd_dev"},
	{"pnp", "pnp_ pnpacpi_"},
	{"power",
	 "cpu_latency_ em_debug_ hibernate_ memory_bm_ power_supply_ swsusp_ __thaw_task "
	 "em_cpu_get em_dev_register_perf_domain em_dev_unregister_perf_domain em_pd_get "
	 "em_table_alloc em_table_free freeze_kernel_threads freeze_processes "
	 "freezing_slow_path freq_constraints_init is_hibernate_resume_dev pfn_is_nosave "
	 "relocate_restore_code restore_processor_state resume_play_dead snapshot_release "
	 "thaw_kernel_threads"},
	{"powercap", "idle_inject_register powercap_register_zone powercap_release "
		     "powercap_unregister_zone"},
	{"pps", "pps_event pps_lookup_dev"},
	{"printk", "devkmsg_ nbcon_ printk_ desc_read prb_record_text_space"},
	{"proc", "pagemap_ proc_create_ proc_pid_ proc_reg_ proc_sys_ call_proc_get_link "
		 "clear_refs_test_walk gather_stats hold_task_mempolicy proc_net_ns_exit "
		 "sched_write smaps_page_accumulate stable_page_flags sysctl_err"},
	{"pstore", "pstore_"},
	{"ptp", "ptp_clock_ ptp_vclock_"},
	{"pwm", "pwm_ pwmchip_ crc_pwm_get_state crystalcove_pwm_probe"},
	{"r8169", "rtl8169_ rtl_"},
	{"ramfs", "ramfs_"},
	{"random", "add_disk_randomness add_hwgenerator_randomness get_random_bytes "
		   "get_random_bytes_user rand_initialize_disk random_ioctl "
		   "register_random_vmfork_notifier rng_is_initialized sys_getrandom"},
	{"ras",
	 "amd_atl_register_decoder amd_convert_umc_mca_addr_to_sys_addr decay_interval_set "
	 "log_non_standard_event ras_userspace_consumers trace_release"},
	{"rcu", "call_rcu_ rcu_barrier_ rcu_gp_ rcu_nocb_ rcu_segcblist_ rcu_tasks_ rcutree_ "
		"__srcu_read_lock fill_page_cache_func kfree_rcu_shrink_count "
		"kfree_rcu_shrink_scan kvfree_rcu_barrier kvfree_rcu_list"},
	{"regulator", "devm_regulator_ regulator_"},
	{"reset", "devm_reset_ reset_control_"},
	{"rtc", "cmos_ rtc_dev_ rtc_timer_ mc146818_set_time rtc_month_days"},
	{"sched", "cpu_cfs_ cpu_cgroup_ cpuacct_ housekeeping_ pick_next_ preempt_ psi_ sched_ "
		  "sugov_ switched_ update_curr_ vtime_ wait_for_completion_ __schedule "
		  "autogroup_path call_cpuidle do_idle finish_task_switch finish_wait "
		  "proc_sched_autogroup_set_nice schedule wait_woken"},
	{"scsi", "scsi_ sd_"},
	{"seccomp", "seccomp_"},
	{"security",
	 "aa_ aafs_ apparmor_ avc_ avtab_ devcgroup_ ebitmap_ evm_ hook_ ima_ integrity_ "
	 "ipe_ keyctl_ keyring_ landlock_ lsm_static_ mls_ policydb_ rawdata_ request_key_ "
	 "role_ security_ securityfs_ sel_ selinux_ seq_ns_ seq_profile_ seq_rawdata_ "
	 "sidtab_ tomoyo_ yama_ key_schedule_gc key_type_put"},
	{"signal",
	 "force_sig_ __sigqueue_alloc check_kill_permission do_sigpending force_sigsegv "
	 "kill_pid sys_sigsuspend"},
	{"smp", "smp_call_ smpboot_ cpu_stop_should_run stop_machine_from_inactive_cpu "
		"wake_up_all_idle_cpus"},
	{"sound", "snd_"},
	{"spi", "devm_spi_ spi_ spidev_"},
	{"squashfs", "squashfs_ zlib_uncompress zstd_free"},
	{"sunrpc", "rpc_ svc_ xprt_"},
	{"sysfs", "sysfs_create_ sysfs_kf_ sysfs_remove_"},
	{"tap", "tap_"},
	{"tg3", "tg3_"},
	{"thermal",
	 "devfreq_cooling_ hfi_ therm_ thermal_cooling_ thermal_genl_ thermal_notify_ "
	 "thermal_zone_ intel_hfi_offline intel_hfi_process_event intel_init_thermal "
	 "intel_thermal_interrupt"},
	{"time",
	 "alarm_ alarmtimer_ clockevents_ hrtimer_ posix_clock_ posix_cpu_ posix_get_ tick_ "
	 "timekeeping_ tmigr_ __mod_timer __usecs_to_jiffies "
	 "acpi_pmtmr_register_suspend_resume_callback clockevent_i8253_disable delay_tsc "
	 "do_timens_ktime_to_host hv_adj_sched_clock_offset hv_stimer0_isr ktime_get "
	 "ktime_get_mono_fast_ns kvm_clock_get_cycles kvm_sched_clock_read "
	 "native_calibrate_tsc native_sched_clock proc_timens_set_offset "
	 "pvclock_clocksource_read pvclock_clocksource_read_nowd read_hpet read_tsc "
	 "sched_clock sched_clock_noinstr schedule_timeout schedule_timeout_interruptible "
	 "use_tsc_delay usleep_range_state"},
	{"trace",
	 "blk_add_trace_ blk_log_ blk_trace_ bpf_kprobe_ bpf_probe_ bpf_trace_ dyn_ eprobe_ "
	 "event_enable_ event_filter_ event_hist_ event_trigger_ fgraph_ ftrace_event_ "
	 "ftrace_set_ function_ hist_ print_graph_ register_ftrace_ rethook_ ring_ saved_ "
	 "synth_ trace_array_ trace_event_ trace_kprobe_ trace_pid_ trace_print_ "
	 "trace_probe_ trace_seq_ traceprobe_ tracer_ tracing_ bpf_get_kprobe_info "
	 "destroy_local_trace_kprobe destroy_local_trace_uprobe fexit_dispatcher ftrace_bug "
	 "ftrace_sync_ipi trace_clock_local trace_fprobe_is_busy trace_uprobe_is_busy"},
	{"tracefs", "eventfs_ tracefs_"},
	{"tty",
	 "con_ dw8250_ fn_ hvc_ kbd_ ldsem_ mctrl_ n_tty_ pciserial_ pty_ serdev_ "
	 "serial8250_ serial_base_ sysrq_handle_ tty_ ttyport_ uart_ univ8250_ vcs_ vt_do_"},
	{"tun", "tun_"},
	{"unicode", "utf8_load utf8version_is_supported"},
	{"usb", "ehci_ uhci_ usb_ xhci_"},
	{"veth", "veth_"},
	{"vfio", "vfio_"},
	{"vhost", "vhost_"},
	{"vhost_net", "vhost_net_ handle_rx_net handle_tx_copy handle_tx_zerocopy"},
	{"vhost_scsi", "vhost_scsi_"},
	{"vhost_vsock", "vhost_transport_ vhost_vsock_"},
	{"video", "backlight_ dummycon_ fb_ fbcon_ hdmi_ vgacon_ xenfb_ "
		  "__screen_info_lfb_bits_per_pixel aperture_remove_conflicting_devices "
		  "devm_aperture_acquire_for_platform_device screen_info_apply_fixups "
		  "vesafb_pan_display videomode_from_timings"},
	{"virtio",
	 "vp_legacy_ vp_modern_get_ register_virtio_device virtio_dev_probe "
	 "virtio_device_restore virtio_require_restricted_mem_acc virtio_reset_device "
	 "vp_modern_probe vp_modern_set_features"},
	{"virtio_balloon", "virtballoon_remove virtio_balloon_shrinker_count"},
	{"virtio_blk", "virtblk_ virtio_queue_rq"},
	{"virtio_mem", "virtio_mem_"},
	{"virtio_mmio", "virtio_mmio_probe vm_get_features"},
	{"virtio_net", "virtnet_ receive_mergeable xdp_linearize_page"},
	{"virtio_pci", "virtio_pci_ vp_active_vq vp_modern_admin_cmd_exec vp_notify"},
	{"virtio_ring", "virtqueue_ vring_"},
	{"vmxnet3", "vmxnet3_"},
	{"vsock", "virtio_transport_ virtio_vsock_ vsock_"},
	{"vxlan", "vxlan_"},
	{"watchdog", "watchdog_dev_resume watchdog_set_restart_priority"},
	{"wireguard", "wg_"},
	{"wireless", "wireless_ compat_private_call iw_handler_get_private"},
	{"workqueue",
	 "workqueue_ wq_ __warn_flushing_systemwide_wq alloc_workqueue pr_cont_pool_info "
	 "show_pwq"},
	{"x86",
	 "cmci_ default_send_ e820_ efi_thunk_ flat_ fpu_ gart_ idt_ iosf_ kvm_guest_ "
	 "kvm_pv_ kvm_sev_es_ kvmclock_ load_ucode_ mbm_ mce_ mcheck_ mtrr_ native_write_ "
	 "paravirt_ pseudo_lock_ pv_native_ raw_callee_save_pvm_ rdt_ rdtgroup_ resctrl_ "
	 "sgx_ tboot_ tdx_ text_ unwind_ vmware_ x2apic_ x86_fpu_ __copy_oldmem_page "
	 "__emit_trampoline __get_wchan __kvm_handle_async_pf __native_queued_spin_unlock "
	 "__native_vcpu_is_preempted __rdgsbase_inactive __set_cyc2ns_scale "
	 "__sev_es_nmi_complete __startup_64 __static_call_fixup __static_call_transform "
	 "__static_call_update_early __switch_to_xtra __tdcall ack_bad_irq align_vdso_addr "
	 "alloc_ldt_struct amd_check_microcode amd_e400_c1e_apic_setup "
	 "amd_get_nodes_per_socket amd_nb_has_feature amd_nb_num amd_smn_read amd_smn_write "
	 "apply_relocate_add arch_align_stack arch_bp_generic_fields "
	 "arch_check_bp_in_kernelspace arch_haltpoll_disable arch_haltpoll_enable "
	 "arch_install_hw_breakpoint arch_irq_stat arch_irq_stat_cpu "
	 "arch_jump_label_transform_apply arch_setup_new_exec arch_static_call_transform "
	 "arch_uninstall_hw_breakpoint arch_uprobe_analyze_insn "
	 "arch_uretprobe_hijack_return_addr bzImage64_probe callthunks_translate_call_dest "
	 "check_enable_amd_mmconf_dmi check_tsc_unstable clear_rdrand_cpuid_bit "
	 "common_cpu_up convert_art_ns_to_tsc convert_art_to_tsc copy_thread "
	 "cpu_disable_common cpu_emergency_disable_virtualization "
	 "cpu_emergency_register_virt_callback cpu_emergency_unregister_virt_callback "
	 "crash_load_segments cyc2ns_read_begin cyc2ns_read_end decode_dr7 default_abort_op "
	 "default_idle destroy_context_ldt die_addr disable_TSC do_vc_no_ghcb "
	 "early_init_amd early_serial_write early_set_pages_state early_setup_idt "
	 "early_vga_write efi_systab_show_arch encode_dr7 exc_alignment_check exc_bounds "
	 "exc_coproc_segment_overrun exc_coprocessor_error exc_debug exc_debug_kernel "
	 "exc_device_not_available exc_divide_error exc_double_fault exc_general_protection "
	 "exc_int3 exc_invalid_op exc_invalid_tss exc_nmi exc_overflow "
	 "exc_segment_not_present exc_stack_segment exc_virtualization_exception "
	 "exit_thread fam10h_check_enable_mmcfg fixup_bad_iret fixup_irqs "
	 "fixup_umip_exception flush_ptrace_hw_breakpoint flush_thread free_ldt_pgtables "
	 "ftrace_make_nop ftrace_modify_code_direct get_align_mask get_stack_info_noinstr "
	 "get_this_hybrid_cpu_type get_tsc_mode handle_bus_lock handle_guest_split_lock "
	 "hlt_play_dead hpet_clkevt_legacy_resume hpet_clkevt_msi_resume "
	 "hpet_clkevt_set_state_oneshot hpet_cpuhp_online hpet_disable "
	 "hpet_msi_interrupt_handler hpet_msi_write_msg hpet_readl hpet_restart_counter "
	 "hpet_rtc_interrupt hv_get_hypervisor_version hv_get_tsc_khz hv_nmi_unknown "
	 "hv_save_sched_clock_state hw_breakpoint_arch_parse "
	 "hw_breakpoint_exceptions_notify hw_breakpoint_pmu_read hw_breakpoint_restore "
	 "ia32_classify_syscall ia32_restore_sigcontext ia32_setup_frame "
	 "ia32_setup_rt_frame in_entry_stack in_task_stack init_espfix_ap "
	 "init_spectral_chicken io_apic_print_entries io_bitmap_exit irqd_cfg "
	 "kdump_sev_callback ksys_ioperm kvm_alloc_cpumask kvm_apic_init "
	 "kvm_arch_para_features kvm_arch_para_hints kvm_check_and_clear_guest_paused "
	 "kvm_cpu_down_prepare kvm_cs_enable kvm_detect kvm_disable_host_haltpoll "
	 "kvm_enable_host_haltpoll kvm_get_tsc_khz kvm_get_wallclock kvm_init_platform "
	 "kvm_io_delay kvm_kick_cpu kvm_msi_ext_dest_id kvm_para_available "
	 "kvm_read_and_reset_apf_flags kvm_register_clock kvm_restore_sched_clock_state "
	 "kvm_save_sched_clock_state kvm_send_ipi_mask_allbutself "
	 "kvm_set_posted_intr_wakeup_handler kvm_set_wallclock kvm_setup_secondary_clock "
	 "kvm_sev_hc_page_enc_status kvm_smp_prepare_boot_cpu kvm_spinlock_init "
	 "kvm_steal_clock kvm_wait ldt_dup_context load_mm_ldt load_trampoline_pgtable "
	 "local_touch_nmi mach_get_cmos_time mach_set_cmos_time machine_real_restart "
	 "mark_tsc_async_resets mark_tsc_unstable mwait_play_dead "
	 "native_calibrate_cpu_early native_cpu_disable native_machine_restart "
	 "native_machine_shutdown native_play_dead native_save_fl "
	 "native_sched_clock_from_tsc native_send_call_func_ipi native_stop_other_cpus "
	 "native_tss_update_io_bitmap nmi_shootdown_cpus node_to_amd_nb oops_begin "
	 "pci_biosrom_size pci_map_biosrom pci_msi_prepare pci_unmap_biosrom "
	 "perf_get_regs_user perf_reg_abi perf_reg_validate perf_reg_value physflat_probe "
	 "play_dead_common poke_int3_handler psmash pv_is_native_spin_unlock "
	 "pv_is_native_vcpu_is_preempted pvclock_read_wallclock pvclock_set_pvti_cpu0_va "
	 "pvm_apic_eoi_nop pvm_cpuid pvm_detect pvm_determine_end_from_reverse "
	 "pvm_early_init pvm_early_native_setup pvm_fix_static_ptes pvm_flush_tlb_local "
	 "pvm_flush_tlb_multi pvm_flush_tlb_one_user pvm_get_tsc_khz pvm_guest_late_init "
	 "pvm_halt pvm_halt_hc pvm_init_mem_mapping pvm_init_platform pvm_irq_disable "
	 "pvm_irq_enable pvm_late_pti_check pvm_make_p4d pvm_make_pgd pvm_make_pmd "
	 "pvm_make_pte pvm_make_pud pvm_probe_hw_fsbase pvm_pti_user_pgd_is_bare "
	 "pvm_read_cr2 pvm_safe_halt pvm_safe_halt_hc pvm_save_fl "
	 "pvm_secondary_register_vif pvm_smp_prepare_boot_cpu pvm_write_cr2 pvm_write_cr3 "
	 "pvm_write_msr pvm_write_msr_safe pvm_write_seg_base_legacy pvm_x2apic_available "
	 "recalibrate_cpu_khz restore_fpregs_from_fpstate rtc_cmos_write "
	 "run_crash_ipi_callback scan_containers sched_clear_itmt_support "
	 "sched_set_itmt_core_prio sched_set_itmt_support secondary_startup_64 "
	 "set_cpu_sibling_map set_tsc_mode setup_ghcb sev_es_play_dead sev_es_terminate "
	 "show_ip show_iret_regs show_opcodes show_regs smp_kick_mwait_play_dead "
	 "smp_stop_nmi_callback speculation_ctrl_update speculation_ctrl_update_current "
	 "speculative_store_bypass_ht_init stop_this_cpu switch_ldt sys_ia32_clone "
	 "sys_rt_sigreturn sys_sigreturn sys_uretprobe sysvec_call_function "
	 "sysvec_call_function_single sysvec_error_interrupt sysvec_irq_work "
	 "sysvec_kvm_asyncpf_interrupt sysvec_kvm_posted_intr_ipi "
	 "sysvec_kvm_posted_intr_nested_ipi sysvec_kvm_posted_intr_wakeup_ipi sysvec_reboot "
	 "sysvec_reschedule_ipi sysvec_thermal sysvec_x86_platform_ipi tsc_cs_enable "
	 "tsc_read_refs tsc_save_sched_clock_state unregister_nmi_handler "
	 "using_native_sched_clock vc_boot_ghcb vc_switch_off_ist x86_sched_itmt_flags "
	 "xen_set_default_idle"},
	{"xen",
	 "evtchn_ gnttab_ xen_acpi_ xen_alloc_ xen_cpu_ xen_efi_ xen_get_ xen_init_ "
	 "xen_irq_ xen_read_ xen_smp_ xen_swiotlb_ xen_write_ xenbus_ xs_ do_free_callbacks "
	 "vcpu_online xen_build_mfn_list_list xen_chk_extra_mem"},
	{"xen_netback", "xenvif_"},
	{"xen_netfront", "xennet_"},
	{"xfs", "xfs_ xlog_"},
	{"zram", "zcomp_ zram_ lz4_create lzorle_release_params"},
};

const size_t kernel_name_set_count = sizeof kernel_name_sets / sizeof *kernel_name_sets;
