#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A domain that libvirt started is shown under its libvirt name and UUID.
set -u
# shellcheck source=tests/live/lib.sh
. tests/live/lib.sh

# The box has neither systemd nor the service's user.
mkdir -p /var/log/libvirt/qemu /var/lib/libvirt/qemu
id libvirt-qemu >/dev/null 2>&1 || {
	echo libvirt-qemu:x:64055:64055::/:/bin/false >>/etc/passwd
	echo libvirt-qemu:x:64055: >>/etc/group
}
cat >/etc/libvirt/qemu.conf <<END
user = "root"
group = "root"
security_driver = "none"
stdio_handler = "file"
cgroup_controllers = []
namespaces = []
END
libvirtd -d || fail "libvirtd did not start"
timeout 60 sh -c 'until [ -S /run/libvirt/libvirt-sock ]; do sleep 0.2; done'

cache=$(sed -n 's/.*lab\.cache=\([^ ]*\).*/\1/p' /proc/cmdline)
cat >"$dir/domain.xml" <<END
<domain type='kvm'>
  <name>shop-db</name>
  <uuid>6b766d70-6572-4f00-8000-00000000f00d</uuid>
  <memory unit='MiB'>128</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <kernel>$cache/guest/kernel</kernel>
    <initrd>$cache/guest/initramfs</initrd>
    <cmdline>console=ttyS0 loglevel=3 mitigations=off lab.load=user</cmdline>
  </os>
  <features><acpi/></features>
  <cpu mode='host-passthrough' check='none'/>
  <devices>
    <emulator>$(command -v qemu-system-x86_64)</emulator>
    <interface type='bridge'>
      <source bridge='br0'/>
      <model type='virtio'/>
    </interface>
    <memballoon model='none'/>
  </devices>
</domain>
END
virsh -q create "$dir/domain.xml" || fail "libvirt did not start the domain"
"$kvmperf" stat --budget none -f json -i 2 -n 1 -o "$dir/stat" || fail "stat failed"
balanced "$dir/stat"
holds "$dir/stat" '.[0].vms[] | select(.name == "shop-db")
	| .uuid == "6b766d70-6572-4f00-8000-00000000f00d" and .vmm == "qemu"
	  and (.taps | length) == 1 and .total_s > 0' \
	"no shop-db as libvirt knows it: $(jq -c '[.vms[] | [.name, .uuid, .vmm, .taps]]' "$dir/stat")"
virsh -q destroy shop-db || fail "libvirt did not end the domain"
kill "$(cat /run/libvirtd.pid)"
finish
