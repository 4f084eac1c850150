import type { CommandHandler } from '../command.ts'
import { ReplyError } from '../reply.ts'

/** Commands that a log cannot carry out, and what can. */
export const refusedCommands: Readonly<Record<string, CommandHandler>> = {
  XTRIM: () => {
    throw new ReplyError(
      "ERR XTRIM is not possible: entries leave a topic by its retention, see 'millrace topics'",
    )
  },
  XDEL: () => {
    throw new ReplyError(
      "ERR XDEL is not possible: a log keeps single entries until its retention, see 'millrace topics'",
    )
  },
  XSETID: () => {
    throw new ReplyError(
      "ERR XSETID is not possible: the log numbers its entries itself, see 'millrace topics'",
    )
  },
}
