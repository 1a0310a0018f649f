#!/bin/busybox sh
# The kernel's first program: finds the disk and goes over to it. The list of
# modules is put in when the archive is made.
/bin/busybox mount -t devtmpfs dev /dev
for module in @MODULES@; do
    /bin/busybox insmod "/modules/$module"
done
tries=0
until [ -b /dev/vda ] || [ $tries = 100 ]; do
    tries=$((tries + 1))
    /bin/busybox usleep 20000
done
/bin/busybox mount -t ext4 /dev/vda /root
/bin/busybox umount /dev
exec /bin/busybox switch_root /root /sbin/init
