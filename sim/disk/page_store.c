#include "disk/page_store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/memory.h"

struct stored_page {
    struct stored_page *next; /* of its chain */
    uint64_t hash;
    size_t holders;
    char bytes[PAGE_STORE_PAGE];
};

static struct stored_page **chain_of(const struct page_store *store, uint64_t hash) {
    return &store->slots[hash & (store->n_slots - 1)];
}

static void grow(struct page_store *store) {
    const struct page_store old = *store;

    store->n_slots = old.n_slots == 0 ? 64 : 2 * old.n_slots;
    store->slots = memory_allocate_array(store->n_slots, sizeof(struct stored_page *));
    for (size_t i = 0; i < old.n_slots; i++)
        for (struct stored_page *page = old.slots[i], *next; page != NULL; page = next) {
            struct stored_page **chain = chain_of(store, page->hash);

            next = page->next;
            page->next = *chain;
            *chain = page;
        }
    free(old.slots);
}

static struct stored_page *hold(struct page_store *store, const void *bytes) {
    const uint64_t hash = XXH3_64bits(bytes, PAGE_STORE_PAGE);
    struct stored_page *page;

    if (store->count >= store->n_slots)
        grow(store);
    for (page = *chain_of(store, hash); page != NULL; page = page->next)
        if (page->hash == hash && memcmp(page->bytes, bytes, PAGE_STORE_PAGE) == 0)
            break;
    if (page == NULL) {
        page = memory_allocate(sizeof *page);
        memcpy(page->bytes, bytes, PAGE_STORE_PAGE);
        page->hash = hash;
        page->next = *chain_of(store, hash);
        *chain_of(store, hash) = page;
        store->count++;
    }
    page->holders++;
    return page;
}

static void let_go(struct page_store *store, struct stored_page *page) {
    struct stored_page **at;

    if (page == NULL)
        return;
    assert(page->holders > 0);
    if (--page->holders > 0)
        return;
    for (at = chain_of(store, page->hash); *at != page; at = &(*at)->next)
        assert(*at != NULL);
    *at = page->next;
    store->count--;
    free(page);
}

size_t paged_file_read(const struct paged_file *file, size_t offset, void *bytes, size_t length) {
    size_t done = 0;

    while (done < length && (offset + done) / PAGE_STORE_PAGE < file->count) {
        const struct stored_page *page = file->pages[(offset + done) / PAGE_STORE_PAGE];
        const size_t at = (offset + done) % PAGE_STORE_PAGE;
        size_t part = PAGE_STORE_PAGE - at;

        part = part < length - done ? part : length - done;
        if (page == NULL)
            memset((char *)bytes + done, 0, part);
        else
            memcpy((char *)bytes + done, page->bytes + at, part);
        done += part;
    }
    return done;
}

void paged_file_write(struct page_store *store, struct paged_file *file, size_t index, const void *page) {
    struct stored_page *before;

    if (index >= file->count)
        paged_file_resize(store, file, index + 1);
    before = file->pages[index];
    file->pages[index] = hold(store, page);
    let_go(store, before);
}

void paged_file_resize(struct page_store *store, struct paged_file *file, size_t count) {
    while (file->count > count)
        let_go(store, file->pages[--file->count]);
    if (count > file->capacity) {
        file->capacity = count + count / 8 + 8;
        file->pages = memory_resize(file->pages, file->capacity, sizeof(struct stored_page *));
    }
    while (file->count < count)
        file->pages[file->count++] = NULL;
}

void paged_file_copy(struct paged_file *to, const struct paged_file *from) {
    assert(to->count == 0 && to->pages == NULL);
    to->count = to->capacity = from->count;
    to->pages = memory_allocate_array(from->count, sizeof(struct stored_page *));
    for (size_t i = 0; i < from->count; i++) {
        to->pages[i] = from->pages[i];
        if (to->pages[i] != NULL)
            to->pages[i]->holders++;
    }
}

void paged_file_free(struct page_store *store, struct paged_file *file) {
    paged_file_resize(store, file, 0);
    free(file->pages);
    *file = (struct paged_file){0};
}

void page_store_free(struct page_store *store) {
    for (size_t i = 0; i < store->n_slots; i++)
        for (struct stored_page *page = store->slots[i], *next; page != NULL; page = next) {
            next = page->next;
            free(page);
        }
    free(store->slots);
    *store = (struct page_store){0};
}
