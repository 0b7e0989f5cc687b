/* A list whose links lie in what it holds: the node is its first member, so that a pointer to one is a pointer to the
 * other. The newest comes first. Does no locking. */
#ifndef AHK_LIST_H
#define AHK_LIST_H

#include <stddef.h>

typedef struct ahk_node {
    struct ahk_node *next;
    struct ahk_node **link; /* what points here */
} ahk_node;

static inline void ahk_list_put(ahk_node **first, ahk_node *node)
{
    node->next = *first;
    node->link = first;
    if (node->next != NULL) {
        node->next->link = &node->next;
    }
    *first = node;
}

static inline void ahk_list_remove(const ahk_node *node)
{
    *node->link = node->next;
    if (node->next != NULL) {
        node->next->link = node->link;
    }
}

#endif
