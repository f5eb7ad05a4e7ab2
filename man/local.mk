dist_man_MANS = man/hangdump.1
