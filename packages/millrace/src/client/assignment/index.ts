export { assign, type DirectAssignment } from './assignment.ts'
export type { AssignedPartitions, AssignmentOptions } from './options.ts'
