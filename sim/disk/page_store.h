/* Database files in memory that share their pages: equal pages are there once, whoever has them. Thousands of
 * devices that were sent the same rows have most of their pages in common. Files own nothing but references;
 * the store must outlive them. A zeroed struct is an empty store or file. */
#ifndef SYNCLINE_DISK_PAGE_STORE_H
#define SYNCLINE_DISK_PAGE_STORE_H

#include <stddef.h>
#include <stdint.h>

enum { PAGE_STORE_PAGE = 1024 }; /* bytes */

struct page_store {
    struct stored_page **slots; /* chains by hash */
    size_t n_slots, count;
};

struct paged_file {
    struct stored_page **pages; /* NULL: all zeros */
    size_t count, capacity;
};

/* The part of the file that is there; how many bytes that was. */
size_t paged_file_read(const struct paged_file *file, size_t offset, void *bytes, size_t length);
void paged_file_write(struct page_store *store, struct paged_file *file, size_t index, const void *page);
/* Cut or grow. */
void paged_file_resize(struct page_store *store, struct paged_file *file, size_t count);
void paged_file_copy(struct paged_file *to, const struct paged_file *from); /* `to` is empty */
void paged_file_free(struct page_store *store, struct paged_file *file);
void page_store_free(struct page_store *store); /* nobody reads a file any more */

#endif
