"""Why a file is refused or a run cannot be saved: every such sentence that a visitor can read."""

from __future__ import annotations

# Any file.
EMPTY = "The file is empty."
TOO_LARGE = "The file has {size:.1f} MB; files of at most {most:g} MB are read."
TOO_MANY_TENSORS = "The file holds {count:,} tensors; at most {most:,} are read."
DAMAGED = "The file is cut off or damaged: “{error}”."

# A safetensors file.
NOT_SAFETENSORS = "This is not a safetensors file: it does not begin with a header."
HEADER_TOO_LONG = "The header says it has {size:,} bytes; at most {most:,} are read."
HEADER_CUT_OFF = "The file is cut off: it ends inside its header."
HEADER_UNREADABLE = "The header of this file cannot be read."
METADATA_NOT_TEXTS = "The metadata of this safetensors file is not made of texts."
WRONG_DTYPE = "The tensor “{name}” is of type “{dtype}”; only {dtypes} are read."

# A checkpoint.
NOT_A_CHECKPOINT = "This safetensors file is not a checkpoint of this playground."
OTHER_VERSION = (
    "This checkpoint has the format “{found}”; this server reads format {version}. "
    "Restore it on a server of the version that saved it."
)
INCOMPLETE = "The header of this checkpoint is incomplete."
WRONG_DIGEST = "The file's content does not match its own checksum: it was changed or damaged."
SPARE_TENSOR = "The file holds a tensor that does not belong to the run, “{name}”."
MISSING_TENSOR = "The state names a tensor that is not in the file, “{name}”."
WRONG_CHECKSUM = "The weights do not match the checksum in the header."
OTHER_PAGE = "This checkpoint was saved on the page “{name}”. Open that page to restore it."
WRONG_STEP = "The step in the header is not that of the state."
NOT_RESTORED = "This checkpoint cannot be restored. {reason}"
MISFIT = "This checkpoint does not fit the run that its settings describe."
NOT_RESTORABLE = "Runs of this page cannot be restored."
NOT_SAVABLE = "This run cannot be saved."
TOO_LARGE_TO_SAVE = (
    "This checkpoint would have {size:.1f} MB; files of at most {most:g} MB can be restored. Save the weights alone."
)

# An .npz file.
NOT_NPZ = "This .npz file cannot be read: it does not begin as a zip archive, as NumPy's archives do."
NOT_AN_ARRAY = "The archive has an entry “{name}” that is not an array, so this is not an .npz file of weights."
ARRAY_UNREADABLE = "The array “{name}” cannot be read: “{error}”."
TOO_LARGE_UNPACKED = "The arrays in this file have more than {most:g} MB; at most that much is read."

# A .pt file.
BARE_PICKLE = "This is a bare pickle, which may run code, so it is not opened. Save the state_dict again."
NOT_TORCH_SAVE = (
    "This .pt file cannot be read: it is not a file of torch.save, because it does not begin as a zip archive."
)
TORCH_REFUSES = "torch.load refuses this file: “{error}”"
ZIP_CUT_OFF = "The file is cut off: a zip archive ends with its directory, and this one does not."
ZIP_DAMAGED = "The archive is damaged: “{error}”."
TOO_MANY_ENTRIES = "The archive has too many entries; at most {most:,} are read."
WRONG_ENTRY_COUNT = "The archive has {count:,} entries; from 1 to {most:,} are read."
NO_PICKLE = "The archive has no data.pkl: torch.save did not write it."
ENTRY_TWICE = "The archive has two entries called “{name}”."
ENTRY_COMPRESSED = "The entry “{name}” is compressed; torch.save does not compress its entries."
ENTRY_UNKNOWN = "The archive has an entry “{name}”, which a state_dict does not have."
ENTRIES_TOO_LARGE = "The archive's entries claim more bytes than the file has."
PICKLE_TOO_LONG = "Its data.pkl has {size:,} bytes; at most {most:,} are read."
PICKLE_DAMAGED = "Its data.pkl is damaged: “{error}”."
IMPORTS = (
    "The file asks Python to import “{name}”: it is not a state_dict, and it could run code. "
    "Save model.state_dict(), not the model."
)
BUILDS_OBJECTS = "The file builds objects of its own: it is not a state_dict, and it could run code."
NOT_A_STATE_DICT = "The file does not hold a state_dict, that is, tensors by name."
NOT_A_TENSOR = "The entry “{name}” is not a tensor, so this is not a state_dict."
UNREADABLE_TENSOR = "The tensor “{name}” is of a kind that is not read here, {dtype}."
REPEATED_NUMBERS = "The tensor “{name}” claims {count:,} numbers, more than the file holds: it repeats a few."
NOT_FINITE = "The tensor “{name}” holds NaN or infinity."
SPARSE_TENSOR = "The file holds a sparse tensor; only plain tensors are read."
META_TENSOR = "The file holds a meta tensor, which has a shape but no numbers; only plain tensors are read."
QUANTIZED_TENSOR = "The file holds a quantized tensor; only plain tensors are read."
