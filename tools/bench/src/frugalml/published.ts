/** A published saving at the best single service's accuracy, in percent, and whether it was read in the source or is remembered from it. */
export interface Published {
  readonly saving: number;
  readonly how: 'read' | 'remembered';
  readonly source: string;
}

const paper = 'FrugalML (Chen, Zaharia, Zou, NeurIPS 2020)';

/** Only for the table: the bench runs any folder, also one that is not named here. */
export const published: Readonly<Record<string, Published>> = {
  RAFDB: { saving: 57.1, how: 'read', source: `${paper}, the authors' own output files, mean of 5 seeds` },
  FERPLUS: { saving: 67, how: 'remembered', source: `${paper}, a press report's "33 % of the cost"` },
  YELP: { saving: 24, how: 'remembered', source: `${paper}, table of savings` },
  SHOP: { saving: 46, how: 'remembered', source: `${paper}, table of savings` },
  IMDB: { saving: 24, how: 'remembered', source: `${paper}, table of savings` },
  WAIMAI: { saving: 60, how: 'remembered', source: `${paper}, table of savings` },
  DIGIT: { saving: 44, how: 'remembered', source: `${paper}, table of savings` },
  COMMAND: { saving: 63, how: 'remembered', source: `${paper}, table of savings` },
  FLUENT: { saving: 37, how: 'remembered', source: `${paper}, table of savings` },
  AUDIOMNIST: { saving: 90, how: 'remembered', source: `${paper}, table of savings` },
};
