#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes what the lab boots, below the folder given: the kernels of two Debian
# packages (downloaded and unpacked, not installed), an initramfs for the box and
# one for its guests, and an emulator. Does nothing when all are there.
# Usage: lab/images.sh CACHE host|guest...
#   host: CACHE/host/kernel, modules/, initramfs   the box: linux-image-amd64
#         CACHE/qemu/emulator                      what boots it
#   guest: CACHE/guest/kernel, initramfs           linux-image-cloud-amd64
#   and for both CACHE/patient_select.so           httperf's patience
set -euo pipefail

lab=$(cd "$(dirname "$0")" && pwd)
cache=$1
shift

# The modules each initramfs loads; the box loads the rest after it has its root.
host_modules="virtio_pci virtio_console 9pnet_virtio 9p overlay"
guest_modules="virtio_pci virtio_net"

# TCG before this version translates code on one emulated CPU while another one
# writes to it, and may miss the write. The kernel patches its code (text_poke_bp)
# whenever a tracepoint gets its first user: a breakpoint that it had taken back
# stays, for ever, for a CPU that translated it at that moment.
qemu_minimum=8.1

fail() {
	echo "lab: $*" >&2
	exit 1
}

# Is the version of the emulator $1 high enough?
recent() {
	local version
	version=$("$1" --version 2>/dev/null | sed -n 's/^QEMU emulator version \([0-9.]*\).*/\1/p')
	[ -n "$version" ] && printf '%s\n' "$qemu_minimum" "$version" | sort -VC
}

# Makes $1/emulator: this machine's QEMU, or where that is too old, the one that
# Debian's backports have for this release, unpacked.
fetch_qemu() {
	local work files suite options package
	if [ -e "$1/emulator" ] && recent "$1/emulator"; then return; fi
	rm -rf "$1"
	if recent qemu-system-x86_64; then
		mkdir -p "$1"
		ln -s "$(command -v qemu-system-x86_64)" "$1/emulator"
		return
	fi
	# shellcheck source=/dev/null
	suite=$(. /etc/os-release && echo "$VERSION_CODENAME")-backports
	files=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' "Codename: ${suite%-*}" |
		head -n 1)
	[ -n "$files" ] ||
		fail "QEMU is older than $qemu_minimum, and apt knows no Debian archive with a newer one"
	echo "lab: downloading QEMU from $suite" >&2
	work=$(mktemp -d "$cache/unpack.XXXXXX")
	mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $files $suite main" \
		>"$work/sources"
	options="-q -o Dir::Etc::sourcelist=$work/sources -o Dir::Etc::sourceparts=/dev/null
		-o Dir::State::lists=$work/lists -o Dir::Cache=$work/cache -o APT::Sandbox::User=root"
	# shellcheck disable=SC2086
	(cd "$work" && apt-get $options update &&
		for package in qemu-system-x86 qemu-system-common qemu-system-data seabios; do
			apt-get $options download "$package/$suite" || exit
		done) >"$work/log" 2>&1 || { cat "$work/log" >&2 && fail "cannot download QEMU from $suite"; }
	for package in "$work"/*.deb; do
		dpkg -x "$package" "$work/root"
	done
	cat >"$work/root/emulator" <<-'END'
		#!/bin/sh
		here=$(dirname "$(readlink -f "$0")")
		export QEMU_MODULE_DIR="$here/usr/lib/x86_64-linux-gnu/qemu"
		exec "$here/usr/bin/qemu-system-x86_64" "$@" -L "$here/usr/share/qemu" -L "$here/usr/share/seabios"
	END
	chmod 755 "$work/root" "$work/root/emulator"
	mv "$work/root" "$1"
	rm -rf "$work"
}

# Downloads the newest kernel that the meta package $1 depends on and unpacks
# it below $2. A complete folder is recognized by its file "release".
fetch_kernel() {
	local package work
	[ -e "$2/release" ] && return
	command -v apt-get >/dev/null ||
		fail "the kernels come from Debian packages: apt-get is needed"
	package=$(depends "$1")
	if [ -z "$package" ]; then
		apt-get update -q >/dev/null || fail "apt-get update failed: no kernel to boot"
		package=$(depends "$1")
	fi
	[ -n "$package" ] || fail "no package $1 here: add Debian's main archive to apt"
	echo "lab: downloading $package" >&2
	work=$(mktemp -d "$cache/unpack.XXXXXX")
	if ! (cd "$work" && apt-get -q -o APT::Sandbox::User=root download "$package") \
		>"$work/log" 2>&1; then
		apt-get update -q >/dev/null
		(cd "$work" && apt-get -q -o APT::Sandbox::User=root download "$package") \
			>"$work/log" 2>&1 || { cat "$work/log" >&2 && fail "cannot download $package"; }
	fi
	dpkg -x "$work"/*.deb "$work/root"
	rm -rf "$2"
	mkdir -p "$2"
	mv "$work/root/lib/modules" "$2/modules"
	mv "$work/root"/boot/vmlinuz-* "$2/vmlinuz"
	unpack_kernel "$2/vmlinuz" "$2/kernel"
	depmod -b "$(modules_root "$2")" "$(ls "$2/modules")"
	ls "$2/modules" >"$2/release"
	rm -rf "$work"
}

depends() {
	apt-cache depends "$1" 2>/dev/null | awk '/Depends: linux-image-/ { print $2; exit }'
}

# depmod and modprobe want lib/modules/RELEASE below their base folder.
modules_root() {
	mkdir -p "$1/base/lib"
	ln -sfn ../../modules "$1/base/lib/modules"
	echo "$1/base"
}

# Makes $2 from the bzImage $1: the ELF image inside if xz packs it, which takes
# an emulated CPU seconds to unpack at each boot (QEMU boots the ELF through its
# PVH entry); else the bzImage. Offsets: Documentation/arch/x86/boot.rst
# (setup_sects, payload_offset, payload_length).
unpack_kernel() {
	local sectors offset length start magic
	sectors=$(od -An -tu1 -j $((0x1f1)) -N 1 "$1")
	offset=$(od -An -tu4 -j $((0x248)) -N 4 "$1")
	length=$(od -An -tu4 -j $((0x24c)) -N 4 "$1")
	start=$(((sectors + 1) * 512 + offset))
	magic=$(od -An -tx1 -j "$start" -N 6 "$1" | tr -d ' ')
	if [ "$magic" != fd377a585a00 ]; then
		mv "$1" "$2"
		return
	fi
	# The payload ends with four bytes of its own: the unpacked size.
	dd if="$1" iflag=skip_bytes,count_bytes skip="$start" count=$((length - 4)) bs=64k \
		status=none | xz -dc --single-stream >"$2"
	rm -f "$1"
}

# Copies the modules named and all they depend on to $2/modules, and their order
# of loading to $2/modules/order: insmod is quicker than a modprobe that searches.
copy_modules() {
	local from=$1 to=$2 release
	shift 2
	release=$(cat "$from/release")
	mkdir -p "$to/modules"
	awk -v wanted="$*" '
		{ file = $1; sub(/:$/, "", file); n = file; sub(/.*\//, "", n); sub(/\.ko$/, "", n)
		  gsub(/-/, "_", n); path[n] = file; $1 = ""; needs[file] = $0 }
		function want(file,   list, count, i) {
			if (file in done) return
			done[file] = 1
			count = split(needs[file], list, " ")
			for (i = 1; i <= count; i++) want(list[i])
			print file
		}
		END { count = split(wanted, names, " ")
		      for (i = 1; i <= count; i++) if (names[i] in path) want(path[names[i]]) }
	' "$from/modules/$release/modules.dep" | while read -r file; do
		cp "$from/modules/$release/$file" "$to/modules/"
		echo "${file##*/}" >>"$to/modules/order"
	done
}

# Packs busybox, the script $2 as /init and the modules of kernel $1 into
# $1/initramfs. Not compressed: unpacking costs more than reading here.
make_initramfs() {
	local kernel=$1 init=$2 tree applet
	shift 2
	[ "$kernel/initramfs" -nt "$init" ] && [ "$kernel/initramfs" -nt "$lab/images.sh" ] && return
	tree=$(mktemp -d "$cache/tree.XXXXXX")
	mkdir -p "$tree/bin" "$tree/proc" "$tree/sys" "$tree/dev" "$tree/root" "$tree/www"
	cp "$(command -v busybox)" "$tree/bin/busybox"
	for applet in $(busybox --list); do
		[ "$applet" = busybox ] || ln -s busybox "$tree/bin/$applet"
	done
	install -m 755 "$init" "$tree/init"
	copy_modules "$kernel" "$tree" "$@"
	(cd "$tree" && find . | cpio --quiet -o -H newc -R 0:0) >"$kernel/initramfs.new"
	mv "$kernel/initramfs.new" "$kernel/initramfs"
	rm -rf "$tree"
}

mkdir -p "$cache"
# One at a time; what an interrupted run left is removed by the next.
exec 9>"$cache/lock"
flock 9
rm -rf "$cache"/unpack.* "$cache"/tree.*
patience=$lab/experiment/patient_select.c
[ "$cache/patient_select.so" -nt "$patience" ] ||
	gcc -O2 -D_GNU_SOURCE -shared -fPIC -o "$cache/patient_select.so" "$patience"
for image; do
	case $image in
	host)
		fetch_qemu "$cache/qemu"
		fetch_kernel linux-image-amd64 "$cache/host"
		# shellcheck disable=SC2086
		make_initramfs "$cache/host" "$lab/box/init" $host_modules
		;;
	guest)
		fetch_kernel linux-image-cloud-amd64 "$cache/guest"
		# shellcheck disable=SC2086
		make_initramfs "$cache/guest" "$lab/guest/init" $guest_modules
		;;
	esac
done
