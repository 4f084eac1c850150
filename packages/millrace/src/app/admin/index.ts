export type { ConnectOptions } from './connect.ts'
export type { GroupAdmin, GroupLag, GroupTarget, OffsetMove, SeekOptions } from './groups.ts'
export { openAdmin, type AppAdmin, type CreateTopicOptions, type TopicAdmin } from './open-admin.ts'
export type { Watermarks } from './watermarks.ts'
