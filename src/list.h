/*
** list.h - doubly linked lists of structs that have 'next' and 'link'. 'link'
** is the address of the pointer to the item: the list's head, or the 'next'
** of the item before it. Items are owned by someone else.
*/
#ifndef SZ_LIST_H
#define SZ_LIST_H

/* Adds the item at the front of the list whose first item is 'head'. */
#define SZ_LIST_ADD(head, item)                                               \
  do {                                                                        \
    (item)->link = &(head);                                                   \
    (item)->next = (head);                                                    \
    if ((item)->next)                                                         \
      (item)->next->link = &(item)->next;                                     \
    (head) = (item);                                                          \
  } while (0)

/* Takes the item out of the list that it is in. */
#define SZ_LIST_REMOVE(item)                                                  \
  do {                                                                        \
    *(item)->link = (item)->next;                                             \
    if ((item)->next)                                                         \
      (item)->next->link = (item)->link;                                      \
  } while (0)

#endif
