/** Marks that end a sentence, in the scripts that have such: `default_punct_chars` of spaCy's sentencizer. */
export const sentenceEnds: ReadonlySet<string> = new Set(
  '!.?։؟۔܀܁܂߹।॥၊။።፧፨᙮᜵᜶᠃᠉᥄᥅᪨᪩᪪᪫᭚᭛᭞᭟᰻᰼᱾᱿‼‽⁇⁈⁉⸮⸼。' +
    '꓿꘎꘏꛳꛷꡶꡷꣎꣏꤯꧈꧉꩝꩞꩟꫰꫱꯫﹒﹖﹗！．？｡𐩖𐩗𑁇𑁈𑂾𑂿𑃀𑃁𑅁𑅂𑅃𑇅𑇆𑇍𑇞𑇟𑈸𑈹𑈻' +
    '𑈼𑊩𑑋𑑌𑗂𑗃𑗉𑗊𑗋𑗌𑗍𑗎𑗏𑗐𑗑𑗒𑗓𑗔𑗕𑗖𑗗𑙁𑙂𑜼𑜽𑜾𑩂𑩃𑪛𑪜𑱁𑱂𖩮𖩯𖫵𖬷𖬸𖭄𛲟𝪈',
);

/** Marks that end a line of prose: `TERMINAL_PUNCTUATION` of datatrove. */
export const terminalMarks: ReadonlySet<string> = new Set([
  ...sentenceEnds,
  ...'؝؞࠷࠹࠽࠾។៕៖៙៚᭽᭾⹓⹔𐽕𐽖𐽗𐽘𐽙𐾆𐾇𐾈𐾉𑥄𑥆𑻷𑻸\u{11f43}\u{11f44}𖺘',
]);

/** Characters that are no part of a word: `PUNCTUATION_SET` of datatrove, with the control characters. */
export const symbols: ReadonlySet<string> = new Set([
  ...terminalMarks,
  ...('\x00\x01\x02\x03\x04\x05\x06\x07\x08\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f"#$%&\'()*+,-/:' +
    ';<=>@[\\]^_`{|}~\x7f\x80\x81\x82\x83\x84\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x90\x91\x92\x93\x94\x95\x96\x97\x98\x99\x9a\x9b' +
    '\x9c\x9d\x9e\x9f«´»–—’“”„…∶━►、〈〉《》「」【】％（），１：；～'),
]);
