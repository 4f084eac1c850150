import type { Session } from '../session.ts'

export { permit } from '../server/users.ts'

/** May this connection know that the topic is there? */
export function maySee({ user }: Session, topic: string): boolean {
  return (
    user.may('consume', { topic }) || user.may('produce', { topic }) || user.may('admin', { topic })
  )
}
