dist_man_MANS = \
	man/hangdump.1 \
	man/hangdump-diff.1 \
	man/hangdump-run.1 \
	man/hangdump-show.1
