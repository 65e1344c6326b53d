/** Stands in for the global set-up of a suite that is only listed. */
module.exports = () => undefined;
