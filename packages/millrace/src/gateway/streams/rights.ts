import { ReplyError } from '../reply.ts'
import type { Right } from '../server/users.ts'
import type { Session } from '../session.ts'

/** The same words for topics that are and that are not there: a refusal tells nothing. @throws ReplyError */
export function permit(
  session: Session,
  right: Right,
  on: { readonly topic?: string; readonly group?: string },
): void {
  if (session.user.may(right, on)) return
  throw new ReplyError('NOPERM No permissions to access a key')
}

/** May this connection know that the topic is there? */
export function maySee({ user }: Session, topic: string): boolean {
  return (
    user.may('consume', { topic }) || user.may('produce', { topic }) || user.may('admin', { topic })
  )
}
